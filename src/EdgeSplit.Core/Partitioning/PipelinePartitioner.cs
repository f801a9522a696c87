using EdgeSplit.Partitioning.Internal;

namespace EdgeSplit.Partitioning;

/// <summary>
/// Contiguous parts over heterogeneous devices whose order and number are chosen, by dynamic programming (Hu et al., "PipeEdge:
/// Pipeline Parallelism for Large-Scale Model Inference on Heterogeneous Edge Devices", DSD 2022, section IV). It finds the splits with the
/// least bottleneck and the least sum of times, and gives the better by the problem's objective.
/// </summary>
/// <remarks>
/// On a chain whose links are equal the least bottleneck is exact. Devices that are equal are counted, not told apart; of a large
/// fleet of different devices the fastest are used.
/// </remarks>
public sealed class PipelinePartitioner : IPartitioner
{
    private const int MostBoundaries = 400;
    private const long MostSteps = 100_000_000;

    /// <inheritdoc/>
    public string Name => "pipeline";

    /// <inheritdoc/>
    public PartitionPlan Partition(PartitionProblem problem, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(problem);
        cancellationToken.ThrowIfCancellationRequested();
        var model = new PlacementModel(problem);
        var units = new PlacementUnits(model);
        var state = new SearchState(model, units);
        int[][] kinds = new DeviceKinds(model, units).FastestFirst(units);
        var segments = new ContiguousSegments(model, units, new TopologicalOrders(model, units).Given(), PipelineSplit.AffordableBoundaries(kinds, MostSteps, MostBoundaries));
        var pipeline = new PipelineSplit(model, segments, kinds, MostSteps);
        var incumbent = new Incumbent();
        foreach (bool minimiseSum in new[] { false, true })
        {
            if (pipeline.Solve(minimiseSum) is int[] split && FeasibilityRepair.Start(state, split))
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
