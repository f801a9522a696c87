using EdgeSplit.Partitioning.Internal;

namespace EdgeSplit.Partitioning;

/// <summary>
/// Splits between two devices by a minimum cut, exactly for a latency in which nothing overlaps: the sum of all layer and transfer
/// times, each value sent once (Hu et al., "Dynamic Adaptive DNN Surgery for Inference Acceleration on the Edge",
/// INFOCOM 2019). Of larger fleets it tries the pairs of the source and the fastest devices, and takes the best by the problem's objective.
/// </summary>
public sealed class MinCutPartitioner : IPartitioner
{
    /// <inheritdoc/>
    public string Name => "min-cut";

    /// <inheritdoc/>
    public PartitionPlan Partition(PartitionProblem problem, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(problem);
        cancellationToken.ThrowIfCancellationRequested();
        var model = new PlacementModel(problem);
        var state = new SearchState(model, new PlacementUnits(model));
        var incumbent = new Incumbent();
        foreach (int[] assignment in TwoDeviceCuts.Of(state))
        {
            if (FeasibilityRepair.Start(state, assignment))
                incumbent.OfferBetter(state);
            if (cancellationToken.IsCancellationRequested && incumbent.Exists)
                break;
        }
        if (!incumbent.Exists)
        {
            FeasibilityRepair.Require(state, LayerwiseSplit.Of(state));
            incumbent.OfferBetter(state);
        }
        return new PlanEvaluator(model).Create(incumbent.Assignment, Name);
    }
}
