using System.Collections.Immutable;

namespace EdgeSplit.Partitioning;

/// <summary>
/// One of the ways that requests take through a plan. A plan that keeps copies of a stage on several devices has one for each choice of
/// copies; requests take them in turn, each as often as its share says.
/// </summary>
/// <param name="Share">The share of requests that take this way, above 0; those of a plan add up to 1.</param>
/// <param name="Assignment">The position in the fleet of each layer's device.</param>
public sealed record PlanRoute(double Share, ImmutableArray<int> Assignment)
{
    /// <summary>Positions in <see cref="PartitionPlan.Stages"/> of the stages that a request passes, in an order in which they can run; empty where it is not known yet.</summary>
    public ImmutableArray<int> Stages { get; init; } = [];
}
