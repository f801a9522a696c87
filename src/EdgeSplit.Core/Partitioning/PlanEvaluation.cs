using System.Collections.Immutable;
using EdgeSplit.Costs;

namespace EdgeSplit.Partitioning;

/// <summary>What the evaluator says of an assignment.</summary>
public sealed record PlanEvaluation
{
    /// <summary>The predicted cost; infinite where a layer cannot run on its device or an illegal cut was made.</summary>
    public required PlanCost Cost { get; init; }

    /// <summary><see cref="ICostModel.Combine"/> of <see cref="Cost"/>, whether or not constraints hold.</summary>
    public required double Objective { get; init; }

    /// <summary>The stages, those of each route in an order in which they can run; empty where a cut is illegal.</summary>
    public required ImmutableArray<PlanStage> Stages { get; init; }

    /// <summary>The ways that requests take, with their stages; a single one unless there are copies of stages.</summary>
    public required ImmutableArray<PlanRoute> Routes { get; init; }

    /// <summary>The use of each device, by its position in the fleet.</summary>
    public required ImmutableArray<DeviceUsage> Devices { get; init; }

    /// <summary>The course of one request, on the route that most take, with nothing else in flight, by the ends of its stages and the starts of its transfers.</summary>
    public required ImmutableArray<TimelineEntry> Timeline { get; init; }

    /// <summary>The constraints that the assignment breaks.</summary>
    public required ImmutableArray<PlanViolation> Violations { get; init; }

    /// <summary>Whether every constraint holds.</summary>
    public bool IsFeasible => Violations.IsEmpty;
}
