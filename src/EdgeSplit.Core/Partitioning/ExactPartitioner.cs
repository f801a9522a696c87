using EdgeSplit.Partitioning.Internal;

namespace EdgeSplit.Partitioning;

/// <summary>
/// The best plan there is without copies of stages, by branch and bound (Land, Doig, "An Automatic Method of Solving Discrete Programming Problems", Econometrica 1960).
/// For models of up to some tens of layers, or as long as one is ready to wait; cancelled, it returns the best plan so far and what
/// it has proven.
/// </summary>
public sealed class ExactPartitioner : IPartitioner
{
    /// <inheritdoc/>
    public string Name => "exact";

    /// <inheritdoc/>
    public PartitionPlan Partition(PartitionProblem problem, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(problem);
        cancellationToken.ThrowIfCancellationRequested();
        var model = new PlacementModel(problem);
        var units = new PlacementUnits(model);
        var state = new SearchState(model, units);
        FeasibilityRepair.Require(state, model.CurrentAssignment.Length > 0 ? model.CurrentAssignment : LayerwiseSplit.Of(state));
        var incumbent = new Incumbent();
        incumbent.OfferBetter(state);
        var kinds = new DeviceKinds(model, units);
        var search = new BranchAndBound(state, new LowerBounds(model, units, kinds), kinds, WorkBudget.Unlimited(cancellationToken), incumbent);
        double bound = search.Run();
        return new PlanEvaluator(model).Create(incumbent.Assignment, Name, Replicated.Bound(model, units, kinds, bound, WorkBudget.Unlimited(cancellationToken)));
    }
}
