using System.Collections.Immutable;
using EdgeSplit.Tensors;

namespace EdgeSplit.Models;

/// <summary>A value that passes between layers, or into or out of the model. It travels when its maker and a reader are on different devices.</summary>
public sealed record Activation
{
    /// <summary>The producer of a model input.</summary>
    public const int ModelInput = -1;

    /// <summary>The position in <see cref="ModelGraph.Activations"/>.</summary>
    public required int Index { get; init; }

    /// <summary>The name, type and shape in the model.</summary>
    public required TensorInfo Info { get; init; }

    /// <summary>The index of the layer that makes the value, or <see cref="ModelInput"/>.</summary>
    public required int Producer { get; init; }

    /// <summary>The indexes of the layers that read the value, ascending.</summary>
    public ImmutableArray<int> Consumers { get; init; } = [];

    /// <summary>Whether the value is an output of the model.</summary>
    public bool IsModelOutput { get; init; }

    /// <summary>The size in bytes; for dynamic shapes, at the representative sizes that the graph was built with.</summary>
    public long ByteCount { get; init; }

    /// <summary>
    /// Whether the value may pass between devices. A sequence, map or optional may not: all of its readers stay with its maker.
    /// </summary>
    public bool CanTravel { get; init; } = true;

    /// <summary>
    /// What a cut here costs beyond the transfer, as a fraction of the run time of the layers next to it
    /// (a fusion or a memory layout that is lost); 0 where nothing is lost.
    /// </summary>
    public double CutPenalty { get; init; }
}
