using EdgeSplit.Partitioning.Internal;

namespace EdgeSplit.Partitioning;

/// <summary>
/// The seed algorithm: start from the layer-wise split (or from the current assignment); then, for each layer, take the
/// devices with enough memory and allowed load, pick the one where the cost model's objective is lowest, and move the layer
/// there when that is lower than before; stop when a whole pass moves nothing. A layer that fits nowhere goes to the coordinator or
/// a stronger device.
/// </summary>
/// <remarks>
/// Evaluation is incremental: a move touches the values of its layer; only an objective that needs the latency plays a request again.
/// Of devices that hold nothing, the fastest few are tried for each layer, which matters for fleets of hundreds.
/// </remarks>
public sealed class LocalSearchPartitioner : IPartitioner
{
    /// <inheritdoc/>
    public string Name => "local-search";

    /// <inheritdoc/>
    public PartitionPlan Partition(PartitionProblem problem, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(problem);
        cancellationToken.ThrowIfCancellationRequested();
        var model = new PlacementModel(problem);
        var state = new SearchState(model, new PlacementUnits(model));
        FeasibilityRepair.Require(state, model.CurrentAssignment.Length > 0 ? model.CurrentAssignment : LayerwiseSplit.Of(state));
        var search = new LocalSearch(state);
        var budget = WorkBudget.Unlimited(cancellationToken);
        while (search.Pass(budget))
        {
        }
        return new PlanEvaluator(model).Create(state.Loads.Assignment, Name);
    }
}
