using EdgeSplit.Partitioning;
using EdgeSplit.Partitioning.Internal;
using EdgeSplit.Testing.Planning;

namespace EdgeSplit.Tests.Partitioning;

/// <summary>Problems in which the relay passes on what some pairs of devices send, while others send directly.</summary>
public sealed class RelayTests
{
    private static IEnumerable<(int Seed, PartitionProblem Problem)> Problems => Enumerable.Range(0, 200).Select(static seed => (seed, Mixed(seed)));

    [Test]
    public void Loads_that_follow_moves_are_those_of_the_assignment()
    {
        foreach ((int seed, PartitionProblem problem) in Problems)
        {
            var model = new PlacementModel(problem);
            var random = new Random(seed);
            int[] assignment = new int[model.LayerCount];
            var moved = new PlacementLoads(model);
            moved.Reset(assignment);
            for (int move = 0; move < 8; move++)
            {
                int layer = random.Next(model.LayerCount);
                assignment[layer] = random.Next(model.DeviceCount);
                int[] values = [.. model.Graph.Inputs(layer).ToArray().Concat(model.Graph.Outputs(layer).ToArray()).Distinct()];
                moved.Move([layer], values, assignment[layer]);
                var anew = new PlacementLoads(model);
                anew.Reset(assignment);
                using (Assert.EnterMultipleScope())
                {
                    Assert.That(moved.Up, Is.EqualTo(anew.Up).Within(1e-9), $"seed {seed}");
                    Assert.That(moved.Down, Is.EqualTo(anew.Down).Within(1e-9), $"seed {seed}");
                    Assert.That(moved.Compute, Is.EqualTo(anew.Compute).Within(1e-9), $"seed {seed}");
                    Assert.That(moved.TransferredBytes, Is.EqualTo(anew.TransferredBytes), $"seed {seed}");
                    Assert.That(moved.TransferJoules, Is.EqualTo(anew.TransferJoules).Within(1e-9), $"seed {seed}");
                }
            }
        }
    }

    [Test]
    public void Transfers_of_the_timeline_are_those_of_the_loads()
    {
        foreach ((int seed, PartitionProblem problem) in Problems)
        {
            var model = new PlacementModel(problem);
            var random = new Random(seed);
            PlanEvaluation evaluation = new PlanEvaluator(problem).Evaluate([.. Enumerable.Range(0, model.LayerCount).Select(_ => random.Next(model.DeviceCount))]);
            if (evaluation.Stages.IsEmpty)
                continue;
            double[] sent = new double[model.DeviceCount], received = new double[model.DeviceCount];
            foreach (TimelineEntry entry in evaluation.Timeline.Where(static entry => entry.Kind == TimelineEntryKind.Transfer))
            {
                Assert.That(model.IsRelayed(entry.Device, entry.Receiver), Is.False, $"seed {seed}: a relayed pair's own link is used.");
                sent[entry.Device] += model.TransferSeconds(entry.Index, entry.Device, entry.Receiver);
                received[entry.Receiver] += model.TransferSeconds(entry.Index, entry.Device, entry.Receiver);
            }
            Assert.That(sent, Is.EqualTo(evaluation.Devices.Select(static device => device.SendSeconds)).Within(1e-9), $"seed {seed}");
            Assert.That(received, Is.EqualTo(evaluation.Devices.Select(static device => device.ReceiveSeconds)).Within(1e-9), $"seed {seed}");
        }
    }

    [Test]
    public void Bounds_are_no_higher_than_the_best_of_all_assignments([Range(0, 1)] int block)
    {
        for (int seed = block * 60; seed < (block + 1) * 60; seed++)
        {
            PartitionProblem problem = Mixed(seed, mostDevices: 3);
            if (BruteForce.LowestObjective(problem) is not double best)
                continue;
            PartitionPlan plan = new ExactPartitioner().Partition(problem, CancellationToken.None);
            Assert.That(plan.Objective, Is.EqualTo(best).Within(1e-9), $"seed {seed}");
            Assert.That(plan.LowerBound, Is.LessThanOrEqualTo(best * (1 + 1e-9)), $"seed {seed}");
        }
    }

    [Test]
    public void Pairs_that_are_all_direct_load_devices_as_if_there_were_no_relay()
    {
        foreach ((int seed, PartitionProblem problem) in Problems)
        {
            int count = problem.Fleet.Devices.Length;
            PartitionProblem all = problem with { DirectPairs = [.. Enumerable.Range(0, count).SelectMany(from => Enumerable.Range(0, count).Select(to => (from, to)))] };
            int[] assignment = [.. problem.Graph.Layers.Select(layer => (layer.Index * 7) % count)];
            PlanEvaluation with = new PlanEvaluator(all).Evaluate(assignment), without = new PlanEvaluator(problem with { RelayDevice = -1, DirectPairs = [] }).Evaluate(assignment);
            Assert.That(with.Devices, Is.EqualTo(without.Devices), $"seed {seed}");
        }
    }

    /// <summary>A random problem with a relay, which half of the pairs do without.</summary>
    private static PartitionProblem Mixed(int seed, int mostDevices = 4)
    {
        PartitionProblem problem = RandomProblems.Create(seed, mostLayers: 6, mostDevices, withConstraints: false);
        int count = problem.Fleet.Devices.Length;
        var random = new Random(seed);
        return problem with
        {
            RelayDevice = random.Next(count),
            DirectPairs = [.. Enumerable.Range(0, count).SelectMany(from => Enumerable.Range(0, count).Select(to => (from, to))).Where(pair => pair.from != pair.to && random.Next(2) == 0)],
        };
    }
}
