using System.Collections.Immutable;
using EdgeSplit.Costs;
using EdgeSplit.Devices;
using EdgeSplit.Models;

namespace EdgeSplit.Partitioning;

/// <summary>Which device runs which layer, with what that is predicted to cost. Immutable.</summary>
public sealed record PartitionPlan
{
    /// <summary>The model.</summary>
    public required ModelGraph Graph { get; init; }

    /// <summary>The fleet that the plan is for.</summary>
    public required Fleet Fleet { get; init; }

    /// <summary>The position in the fleet of each layer's device.</summary>
    public required ImmutableArray<int> Assignment { get; init; }

    /// <summary>The stages that follow from the assignment, in an order in which they can run.</summary>
    public required ImmutableArray<PlanStage> Stages { get; init; }

    /// <summary>What the evaluator predicts.</summary>
    public required PlanCost Cost { get; init; }

    /// <summary>The number that was minimised: <see cref="ICostModel.Combine"/> of <see cref="Cost"/>.</summary>
    public required double Objective { get; init; }

    /// <summary>No plan can be below this; null where nothing was proven.</summary>
    public double? LowerBound { get; init; }

    /// <summary>The name of the partitioner that found the plan.</summary>
    public required string Partitioner { get; init; }
}
