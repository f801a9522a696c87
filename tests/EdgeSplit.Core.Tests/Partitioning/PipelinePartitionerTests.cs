using EdgeSplit.Costs;
using EdgeSplit.Devices;
using EdgeSplit.Models;
using EdgeSplit.Partitioning;
using EdgeSplit.Testing.Planning;

namespace EdgeSplit.Tests.Partitioning;

public sealed class PipelinePartitionerTests
{
    [Test]
    public void Bottleneck_of_a_chain_is_the_least_of_all_contiguous_splits([Range(0, 19)] int seed)
    {
        var random = new Random(seed);
        int layers = random.Next(2, 8);
        ModelGraph graph = PlanningGraph.Chain(layers, bytes: random.Next(1, 30), operations: [.. Enumerable.Range(0, layers).Select(_ => (double)random.Next(1, 100))]);
        var problem = new PartitionProblem
        {
            Graph = graph,
            Fleet = new Fleet(Enumerable.Range(0, 3).Select(index => new Device { Id = $"d{index}", FlopsPerSecond = index == 2 ? 1 : random.Next(1, 4), LayerOverheadSeconds = 0 }),
                defaultLink: new Link { BytesPerSecond = 1, Latency = TimeSpan.Zero }),
            CostModel = WeightedCostModel.ForObjective(PlanObjective.Throughput),
            OverlapTransfers = random.Next(2) == 0,
        };
        var evaluator = new PlanEvaluator(problem);
        double least = Contiguous(layers).Min(assignment => evaluator.Evaluate(assignment).Objective);
        Assert.That(new PipelinePartitioner().Partition(problem, default).Objective, Is.EqualTo(least).Within(1e-9));
    }

    [Test]
    public void Slow_device_gets_less_and_comes_where_it_fits_best()
    {
        var problem = new PartitionProblem
        {
            Graph = PlanningGraph.Chain(4, bytes: 0, operations: [8, 1, 1, 8]),
            Fleet = new Fleet([new Device { Id = "slow", FlopsPerSecond = 1, LayerOverheadSeconds = 0 }, .. Enumerable.Range(0, 2).Select(static index => new Device { Id = $"fast{index}", FlopsPerSecond = 4, LayerOverheadSeconds = 0 })],
                defaultLink: new Link { Latency = TimeSpan.Zero }),
            CostModel = WeightedCostModel.ForObjective(PlanObjective.Throughput),
        };
        PartitionPlan plan = new PipelinePartitioner().Partition(problem, default);
        Assert.That(plan.Objective, Is.EqualTo(2));
        Assert.That(plan.Assignment[1], Is.EqualTo(plan.Assignment[2]).And.EqualTo(0));
    }

    private static IEnumerable<int[]> Contiguous(int layers)
    {
        for (int code = 0; code < Math.Pow(3, layers); code++)
        {
            int[] assignment = [.. Enumerable.Range(0, layers).Select(layer => code / (int)Math.Pow(3, layer) % 3)];
            int changes = Enumerable.Range(1, layers - 1).Count(layer => assignment[layer] != assignment[layer - 1]);
            if (changes == assignment.Distinct().Count() - 1)
                yield return assignment;
        }
    }
}
