using EdgeSplit.Partitioning;
using EdgeSplit.Partitioning.Internal;
using EdgeSplit.Testing.Planning;

namespace EdgeSplit.Tests.Partitioning;

public sealed class MinCutPartitionerTests
{
    [Test]
    public void Maximum_flow_of_a_small_network_is_its_minimum_cut()
    {
        var flow = new MaximumFlow();
        int[] nodes = [.. Enumerable.Range(0, 6).Select(_ => flow.AddNode())];
        foreach ((int from, int to, double capacity) in new (int, int, double)[] { (0, 1, 16), (0, 2, 13), (2, 1, 4), (1, 3, 12), (3, 2, 9), (2, 4, 14), (4, 3, 7), (3, 5, 20), (4, 5, 4) })
            flow.AddArc(nodes[from], nodes[to], capacity);
        Assert.That(flow.Run(nodes[0], nodes[5]), Is.EqualTo(23));
        Assert.That(nodes.Where(flow.IsOnSourceSide), Is.EqualTo(new[] { 0, 1, 2, 4 }));
    }

    [Test]
    public void Cut_by_time_is_the_least_sum_of_times_of_any_assignment([Range(0, 3)] int block)
    {
        for (int seed = block * 100; seed < (block + 1) * 100; seed++)
        {
            PartitionProblem problem = RandomProblems.Create(seed, mostLayers: 8, mostDevices: 2, withConstraints: false);
            if (problem.Fleet.Devices.Length < 2)
                continue;
            var model = new PlacementModel(problem);
            (int[] assignment, double cost) = TwoDeviceCuts.ByTime(model, new PlacementUnits(model), 0, 1)!.Value;
            Assert.That(SumOfTimes(model, assignment), Is.EqualTo(cost).Within(1e-9), $"seed {seed}");
            for (int code = 0; code < 1 << assignment.Length; code++)
            {
                int[] other = [.. assignment.Select((_, layer) => (code >> layer) & 1)];
                Assert.That(SumOfTimes(model, other), Is.GreaterThanOrEqualTo(cost - 1e-9), $"seed {seed}");
            }
        }
    }

    /// <summary>Every layer and every delivery of a value, one after the other.</summary>
    private static double SumOfTimes(PlacementModel model, int[] assignment)
    {
        var loads = new PlacementLoads(model);
        loads.Reset(assignment);
        double sum = loads.Compute.Sum();
        for (int value = 0; value < model.Graph.ValueCount; value++)
        {
            int producer = model.Graph.Producers[value];
            int home = producer >= 0 ? assignment[producer] : model.Source;
            bool isForSink = model.Graph.IsOutput[value] && producer >= 0 && model.Source >= 0 && model.Source != home;
            if (home >= 0 && (isForSink || model.Graph.Consumers(value).ToArray().Any(consumer => assignment[consumer] != home)))
                sum += model.DeliverySeconds(value, home, 1 - home);
        }
        return sum;
    }
}
