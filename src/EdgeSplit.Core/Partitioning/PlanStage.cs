using System.Collections.Immutable;

namespace EdgeSplit.Partitioning;

/// <summary>Layers on one device that run together, without waiting for another device in between.</summary>
public sealed record PlanStage
{
    /// <summary>The position in <see cref="PartitionPlan.Stages"/>.</summary>
    public required int Index { get; init; }

    /// <summary>The position of the device in the fleet.</summary>
    public required int Device { get; init; }

    /// <summary>The layers, ascending; a convex set.</summary>
    public required ImmutableArray<int> Layers { get; init; }

    /// <summary>Activations that come from other stages or are inputs of the model.</summary>
    public required ImmutableArray<int> Inputs { get; init; }

    /// <summary>Activations that other stages need or that are outputs of the model.</summary>
    public required ImmutableArray<int> Outputs { get; init; }

    /// <summary>The share of requests that pass the stage: below 1 where others take a copy of it on another device.</summary>
    public double Share { get; init; } = 1;

    /// <summary>Seconds that the stage is predicted to compute.</summary>
    public required double PredictedSeconds { get; init; }
}
