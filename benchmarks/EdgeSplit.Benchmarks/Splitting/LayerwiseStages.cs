using System.Collections.Immutable;
using EdgeSplit.Costs;
using EdgeSplit.Devices;
using EdgeSplit.Models;
using EdgeSplit.Partitioning;

namespace EdgeSplit.Benchmarks.Splitting;

/// <summary>Stages of about equal work, one for each of some equal devices, in the model's order.</summary>
internal static class LayerwiseStages
{
    public static ImmutableArray<ImmutableArray<int>> Of(ModelGraph graph, int count)
    {
        var problem = new PartitionProblem
        {
            Graph = graph,
            Fleet = new Fleet(Enumerable.Range(0, count).Select(static index => new Device { Id = $"{index}" })),
            CostModel = WeightedCostModel.ForObjective(PlanObjective.Throughput),
        };
        return [.. new LayerwisePartitioner().Partition(problem, CancellationToken.None).Stages.Select(static stage => stage.Layers)];
    }
}
