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

    /// <summary>The position in the fleet of each layer's device; where requests take several routes, on the one that most of them take.</summary>
    public required ImmutableArray<int> Assignment { get; init; }

    /// <summary>
    /// The stages that follow from the assignment, in an order in which they can run. Where requests take several routes, those of all routes, each
    /// once; two of the same layers are copies of one stage.
    /// </summary>
    public required ImmutableArray<PlanStage> Stages { get; init; }

    /// <summary>The ways that requests take in turn, the one that most of them take first; a single one unless the plan has copies of stages.</summary>
    public ImmutableArray<PlanRoute> Routes
    {
        get => field.IsDefaultOrEmpty ? [new PlanRoute(1, Assignment) { Stages = [.. Enumerable.Range(0, Stages.Length)] }] : field;
        init;
    }

    /// <summary>The routes by the positions of another fleet; -1 for devices that it lacks.</summary>
    internal ImmutableArray<PlanRoute> RoutesIn(Fleet fleet) =>
        [.. Routes.Select(route => route with { Assignment = [.. route.Assignment.Select(device => fleet.IndexOf(Fleet.Devices[device].Id))] })];

    /// <summary>What the evaluator predicts.</summary>
    public required PlanCost Cost { get; init; }

    /// <summary>The number that was minimised: <see cref="ICostModel.Combine"/> of <see cref="Cost"/>.</summary>
    public required double Objective { get; init; }

    /// <summary>No plan can be below this; null where nothing was proven.</summary>
    public double? LowerBound { get; init; }

    /// <summary>The name of the partitioner that found the plan.</summary>
    public required string Partitioner { get; init; }
}
