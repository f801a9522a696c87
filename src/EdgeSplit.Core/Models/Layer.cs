using System.Collections.Immutable;

namespace EdgeSplit.Models;

/// <summary>
/// What a plan assigns to a device: one or more operators of the model that stay together (a fused group,
/// a quantise/dequantise pair, a control-flow operator with its bodies).
/// </summary>
public sealed record Layer
{
    /// <summary>The position in <see cref="ModelGraph.Layers"/>, which is a topological order.</summary>
    public required int Index { get; init; }

    /// <summary>A name to show, unique in the model.</summary>
    public required string Name { get; init; }

    /// <summary>The operator types in the layer, in order, such as <c>Conv+BatchNormalization+Relu</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>Estimated floating-point operations of one run (a multiply-add counts 2).</summary>
    public double FloatOperations { get; init; }

    /// <summary>Estimated bytes of activations read and written by one run, weights not counted.</summary>
    public long ActivationTrafficBytes { get; init; }

    /// <summary>Indexes into <see cref="ModelGraph.Weights"/> of the weights that the layer reads; several layers may share one.</summary>
    public ImmutableArray<int> Weights { get; init; } = [];

    /// <summary>Indexes into <see cref="ModelGraph.Activations"/> of the values that the layer reads from other layers or from the model's inputs.</summary>
    public ImmutableArray<int> Inputs { get; init; } = [];

    /// <summary>Indexes into <see cref="ModelGraph.Activations"/> of the values that the layer makes for other layers or as the model's outputs.</summary>
    public ImmutableArray<int> Outputs { get; init; } = [];
}
