using System.Collections.Immutable;

namespace EdgeSplit.Costs;

/// <summary>How an <see cref="AgentProfiler"/> measures.</summary>
public sealed record AgentProfilerOptions
{
    /// <summary>About how long an agent runs, over all segments; loading comes on top, and each segment runs five times at least.</summary>
    /// <value>Default: 3 s.</value>
    public TimeSpan Duration
    {
        get;
        init => field = value > TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A measurement takes time.");
    } = TimeSpan.FromSeconds(3);

    /// <summary>The parts that the model is measured in, fewer where it has no good cuts. More tell layers apart better and lose more fusions.</summary>
    /// <value>Default: 8.</value>
    public int Segments
    {
        get;
        init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A model has at least one segment.");
    } = 8;

    /// <summary>
    /// How the layers of a segment share its time: seconds by layer, from a profile on any device of the same kind. Default or of
    /// another length: by what <see cref="CostModel"/> estimates.
    /// </summary>
    public ImmutableArray<double> RelativeLayerSeconds { get; init; }

    /// <summary>Estimates layers.</summary>
    /// <value>Default: <see cref="WeightedCostModel"/>.</value>
    public ICostModel CostModel { get; init; } = new WeightedCostModel();

    /// <summary>The folder that keeps results by model, inputs' shapes, agent and runtime version; created where missing.</summary>
    /// <value>Default: null, nothing is kept.</value>
    public string? CacheFolder { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
