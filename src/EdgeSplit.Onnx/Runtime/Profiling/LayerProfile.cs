using System.Collections.Immutable;

namespace EdgeSplit.Onnx.Runtime.Profiling;

/// <summary>How long the layers of a model take on one device, under one runtime.</summary>
public sealed record LayerProfile
{
    /// <summary>
    /// Seconds of each layer, by <see cref="Models.Layer.Index"/>. They add up to <see cref="ModelSeconds"/>. Layers that
    /// ONNX Runtime fused share the time of the fused operator by their arithmetic; a layer that it removed has 0.
    /// </summary>
    public required ImmutableArray<double> LayerSeconds { get; init; }

    /// <summary>The time of one run of the whole model, measured without profiling: the lower quartile of the runs.</summary>
    public required double ModelSeconds { get; init; }

    /// <summary>The sum of the operators' own times as profiled, before they were corrected to add up to <see cref="ModelSeconds"/>.</summary>
    public required double KernelSeconds { get; init; }

    /// <summary>The share of the operators' time that no layer could be found for; it was spread over all of them.</summary>
    public required double UnattributedShare { get; init; }

    /// <summary>The runtime, its version and the execution provider that measured.</summary>
    public required string Runtime { get; init; }
}
