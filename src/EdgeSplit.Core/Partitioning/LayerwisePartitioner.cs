using EdgeSplit.Partitioning.Internal;

namespace EdgeSplit.Partitioning;

/// <summary>
/// Cuts the topological order into contiguous parts, one for each device in the fleet's order, so that the busiest part,
/// its transfers included, is as little busy as possible: the classic layer-wise split, solved by dynamic programming
/// (the linear partition problem; Skiena, "The Algorithm Design Manual", section 10.7).
/// </summary>
/// <remarks>
/// Every device gets a part as long as there are layers for it, so N equal devices give N stages. Where memory or other
/// constraints rule that out, the nearest plan that satisfies them is given.
/// </remarks>
public sealed class LayerwisePartitioner : IPartitioner
{
    /// <inheritdoc/>
    public string Name => "layerwise";

    /// <inheritdoc/>
    public PartitionPlan Partition(PartitionProblem problem, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(problem);
        cancellationToken.ThrowIfCancellationRequested();
        var model = new PlacementModel(problem);
        var state = new SearchState(model, new PlacementUnits(model));
        FeasibilityRepair.Require(state, LayerwiseSplit.Of(state));
        return new PlanEvaluator(model).Create(state.Loads.Assignment, Name);
    }
}
