using System.Text.Json;
using EdgeSplit.Benchmarks.Placement;
using EdgeSplit.Costs;
using EdgeSplit.Partitioning;

namespace EdgeSplit.Tests.Partitioning;

/// <summary>The placement benchmark's exact search and its bounds, against trying every split.</summary>
public sealed class AcceleratorChainsTests
{
    private const int Block = 250;

    [Test]
    public void Search_finds_the_least_latency_and_bounds_are_valid([Range(0, 3)] int block)
    {
        int exact = 0;
        for (int seed = block * Block; seed < (block + 1) * Block; seed++)
        {
            AcceleratorWorkload workload = Create(new Random(seed));
            PartitionProblem problem = workload.ToProblem(PlanObjective.Latency);
            double optimum = LowestLatency(workload, problem);
            var graph = new AcceleratorGraph(workload, problem);
            var tails = new AcceleratorTails(graph);
            Assert.That(tails.LatencyBound, Is.LessThanOrEqualTo(optimum * (1 + 1e-9)), $"seed {seed}");
            foreach (double haste in (double[])[0, 0.3])
            {
                var hasty = new AcceleratorChains(graph, tails, (2 * optimum) + 1, mostSteps: 5 + (seed % 40), haste);
                hasty.Run();
                Assert.That(hasty.LatencyBound, Is.LessThanOrEqualTo(optimum * (1 + 1e-9)), $"seed {seed}");
            }
            var chains = new AcceleratorChains(graph, tails, (1.5 * optimum) + 1, mostSteps: 1_000_000);
            int[]? found = chains.Run();
            Assert.That(chains.LatencyBound, Is.LessThanOrEqualTo(optimum * (1 + 1e-9)), $"seed {seed}");
            if (graph.HasClassCycles)
                continue;
            exact++;
            Assert.That(found, Is.Not.Null, $"seed {seed}");
            Assert.That(new AcceleratorLatency(workload, problem).Evaluate(found), Is.EqualTo(optimum).Within(1e-7).Percent, $"seed {seed}");
            Assert.That(chains.LatencyBound, Is.EqualTo(optimum).Within(1e-7).Percent, $"seed {seed}");
        }
        Assert.That(exact, Is.GreaterThan(Block / 2));
    }

    private static double LowestLatency(AcceleratorWorkload workload, PartitionProblem problem)
    {
        var latency = new AcceleratorLatency(workload, problem);
        int[][] groups = [.. workload.Nodes.Select(static (node, index) => (node.ColorClass ?? (-1 - index), index)).GroupBy(static pair => pair.Item1, static pair => pair.index).Select(static group => group.ToArray())];
        var assignment = new int[workload.Nodes.Count()];
        double lowest = double.PositiveInfinity;
        Place(0);
        return lowest;

        void Place(int group)
        {
            if (group == groups.Length)
            {
                lowest = Math.Min(lowest, latency.Evaluate(assignment));
                return;
            }
            for (int device = 0; device <= workload.Accelerators; device++)
            {
                if (device < workload.Host && groups[group].Any(node => !workload.Nodes.ElementAt(node).IsSupportedOnFpga))
                    continue;
                foreach (int node in groups[group])
                    assignment[node] = device;
                Place(group + 1);
            }
        }
    }

    private static AcceleratorWorkload Create(Random random)
    {
        int count = random.Next(1, 8);
        int density = random.Next(2, 5);
        bool withClasses = random.Next(2) == 0;
        JsonElement yes = JsonSerializer.SerializeToElement(true);
        JsonElement no = JsonSerializer.SerializeToElement(false);
        List<WorkloadNode> nodes = [.. Enumerable.Range(0, count).Select(id => new WorkloadNode(
            id, $"node{id}", random.Next(10) == 0 ? no : yes, random.Next(20), random.Next(5), random.Next(1, 5), withClasses && random.Next(2) == 0 ? random.Next(3) : null))];
        double[] costs = [.. Enumerable.Range(0, count).Select(_ => random.Next(8) * 0.5)];
        List<WorkloadEdge> edges = [.. from to in Enumerable.Range(0, count) from source in Enumerable.Range(0, to) where random.Next(density) == 0 || (source == to - 1 && random.Next(3) > 0) select new WorkloadEdge(source, to, costs[source])];
        return new AcceleratorWorkload("random.json", new WorkloadFile(random.Next(1, 2 + (4 * count)), random.Next(1, 3), 1, nodes, edges));
    }
}
