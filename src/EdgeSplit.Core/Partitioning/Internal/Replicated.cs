using System.Collections.Immutable;
using System.Numerics;
using EdgeSplit.Costs;

namespace EdgeSplit.Partitioning.Internal;

/// <summary>Makes plans of assignments for problems that may allow copies of stages.</summary>
internal static class Replicated
{
    /// <summary>The share of a search's budget that is left for copies of stages and their bound.</summary>
    public const double BudgetShare = 0.3;

    /// <summary>The plan of an assignment, with copies of its stages where they are allowed and pay.</summary>
    /// <param name="model">The problem.</param>
    /// <param name="assignment">A feasible assignment.</param>
    /// <param name="partitioner">The name of what found it.</param>
    /// <param name="bound">What no plan without copies can be below.</param>
    /// <param name="budget">What the search may still do.</param>
    public static PartitionPlan Create(PlacementModel model, ReadOnlySpan<int> assignment, string partitioner, double bound, WorkBudget budget)
    {
        var evaluator = new PlanEvaluator(model);
        if (model.Problem.Constraints.MaximumReplicas == 1)
            return evaluator.Create(assignment, partitioner, bound);
        var units = new PlacementUnits(model);
        var kinds = new DeviceKinds(model, units);
        ImmutableArray<PlanRoute> routes = StageReplication.IsWorthwhile(model)
            ? new StageReplication(model, units, kinds, budget.Part(0.7)).Run(assignment)
            : [new PlanRoute(1, [.. assignment])];
        PartitionPlan plan = evaluator.Create(routes, partitioner);
        return plan with { LowerBound = Math.Min(Bound(model, units, kinds, bound, budget), plan.Objective) };
    }

    /// <summary>What no plan can be below, with copies where they are allowed.</summary>
    /// <param name="model">The problem.</param>
    /// <param name="units">Its units.</param>
    /// <param name="kinds">Its kinds of devices.</param>
    /// <param name="bound">What no plan without copies can be below.</param>
    /// <param name="budget">What finding it may cost.</param>
    public static double Bound(PlacementModel model, PlacementUnits units, DeviceKinds kinds, double bound, WorkBudget budget)
    {
        // A mean of one measure is not below the least, and no objective falls when a measure grows.
        bool isMean = BitOperations.PopCount((uint)model.Measures) <= 1 && (model.Measures & (PlanMeasures.Bottleneck | PlanMeasures.LoadImbalance)) == 0 && !(model.HasIdlePower && model.Measures == PlanMeasures.Energy);
        return model.Problem.Constraints.MaximumReplicas == 1 || isMean ? bound : new ReplicationBound(model, units).Objective(new LowerBounds(model, units, kinds), budget);
    }
}
