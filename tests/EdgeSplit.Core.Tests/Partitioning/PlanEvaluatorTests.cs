using EdgeSplit.Costs;
using EdgeSplit.Devices;
using EdgeSplit.Models;
using EdgeSplit.Partitioning;
using EdgeSplit.Testing.Planning;

namespace EdgeSplit.Tests.Partitioning;

/// <summary>Cases small enough to be worked out by hand. Devices do one operation per second, links one byte per second with no latency unless said otherwise.</summary>
public sealed class PlanEvaluatorTests
{
    private static readonly Device One = new() { Id = "a", FlopsPerSecond = 1, MemoryBytesPerSecond = 1e12, LayerOverheadSeconds = 0, ActiveWatts = 3, IdleWatts = 1 };
    private static readonly Link Byte = new() { BytesPerSecond = 1, Latency = TimeSpan.Zero, JoulesPerByte = 0.5 };

    [Test]
    public void Chain_over_two_devices_adds_compute_transfer_and_link_latency()
    {
        PartitionProblem problem = Problem(PlanningGraph.Chain(2, bytes: 4), 2, link: Byte with { Latency = TimeSpan.FromSeconds(10) });
        PlanCost cost = Evaluate(problem, 0, 1).Cost;
        Assert.That(cost.LatencySeconds, Is.EqualTo(1 + 4 + 10 + 1));
        Assert.That(cost.BottleneckSeconds, Is.EqualTo(4), "the link is the busiest; its latency loads nobody");
        Assert.That(cost.TransferredBytes, Is.EqualTo(4));
        Assert.That(cost.LoadImbalance, Is.Zero);
        // Of the 16 s each device computes for 1 and idles for 15.
        Assert.That(cost.EnergyJoules, Is.EqualTo((2 * 3) + (2 * 15) + (4 * 0.5)));
    }

    [Test]
    public void Source_device_sends_the_input_and_gets_the_output()
    {
        PartitionProblem problem = Problem(PlanningGraph.Chain(1, bytes: 4), 2) with { SourceDevice = 0 };
        Assert.That(Evaluate(problem, 1).Cost.LatencySeconds, Is.EqualTo(4 + 1 + 4));
        Assert.That(Evaluate(problem, 1).Cost.TransferredBytes, Is.EqualTo(8));
        Assert.That(Evaluate(problem, 0).Cost.LatencySeconds, Is.EqualTo(1));
    }

    [Test]
    public void Branches_on_two_devices_overlap_and_stages_of_one_device_take_turns()
    {
        PartitionProblem problem = Problem(Diamond(bytes: 0), 3);
        Assert.That(Evaluate(problem, 0, 0, 1, 0).Cost.LatencySeconds, Is.EqualTo(6 + 5 + 1), "c waits for the whole stage of a and b");
        Assert.That(Evaluate(problem, 0, 1, 2, 0).Cost.LatencySeconds, Is.EqualTo(1 + 5 + 1));
        Assert.That(Evaluate(problem, 0, 1, 1, 0).Cost.LatencySeconds, Is.EqualTo(1 + 10 + 1));
    }

    [Test]
    public void Concurrent_stages_of_one_device_overlap()
    {
        var graph = new PlanningGraph();
        int a = graph.Layer(2, [graph.Input(0)], 0);
        int b = graph.Layer(2, [graph.Input(0)], 0);
        // Each of c and d reads the other side, so device 1 has stages that no merge makes one.
        graph.Layer(3, [a], 0, isOutput: true);
        graph.Layer(3, [b], 0, isOutput: true);
        ModelGraph model = graph.Build();
        int[] assignment = [0, 1, 1, 0];
        Assert.That(new PlanEvaluator(Problem(model, 2)).Evaluate(assignment).Stages, Has.Length.EqualTo(3));
        double alone = new PlanEvaluator(Problem(model, 2)).Evaluate(assignment).Cost.LatencySeconds;
        PlanEvaluation concurrent = new PlanEvaluator(Problem(model, 2, One with { ConcurrentStages = 2 })).Evaluate(assignment);
        Assert.That(concurrent.Cost.LatencySeconds, Is.LessThanOrEqualTo(alone));
        Assert.That(concurrent.Cost.BottleneckSeconds, Is.EqualTo(2.5), "5 s of computing, two at a time");
    }

    [Test]
    public void Value_for_two_stages_of_one_device_travels_once_and_for_two_devices_twice()
    {
        PartitionProblem problem = Problem(Diamond(bytes: 8), 3);
        Assert.That(Evaluate(problem, 0, 1, 1, 1).Cost.TransferredBytes, Is.EqualTo(8));
        PlanEvaluation apart = Evaluate(problem, 0, 1, 2, 2);
        Assert.That(apart.Cost.TransferredBytes, Is.EqualTo(8 + 8 + 8));
        Assert.That(apart.Devices[0].SendSeconds, Is.EqualTo(16), "the uplink sends one after the other");
        Assert.That(apart.Cost.LatencySeconds, Is.EqualTo(1 + 8 + 8 + 8 + 6), "the value for c comes second, and keeps that of b waiting");
    }

    [Test]
    public void Relay_gets_a_value_once_and_sends_it_to_each_receiver()
    {
        PartitionProblem problem = Problem(Diamond(bytes: 8), 4) with { RelayDevice = 3 };
        PlanEvaluation apart = Evaluate(problem, 0, 1, 2, 2);
        Assert.That(apart.Devices[0].SendSeconds, Is.EqualTo(8));
        Assert.That(apart.Devices[3].ReceiveSeconds, Is.EqualTo(16));
        Assert.That(apart.Devices[3].SendSeconds, Is.EqualTo(24));
        Assert.That(apart.Cost.LatencySeconds, Is.EqualTo(1 + 8 + 8 + 5 + 8 + 8 + 6));
    }

    [Test]
    public void Pair_that_is_direct_bypasses_the_relay_and_the_others_pay_both_legs()
    {
        // a on d0 feeds b on d1 and c on d2; both feed d, on d2. From d0 to d2 values go by the relay d3, else directly.
        PartitionProblem problem = Problem(Diamond(bytes: 8), 4) with { RelayDevice = 3, DirectPairs = [(0, 1), (1, 2)] };
        PlanEvaluation apart = Evaluate(problem, 0, 1, 2, 2);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(apart.Devices.Select(static device => device.SendSeconds), Is.EqualTo(new[] { 16.0, 8, 0, 8 }), "d0 sends to d1 and to the relay, the relay to d2");
            Assert.That(apart.Devices.Select(static device => device.ReceiveSeconds), Is.EqualTo(new[] { 0.0, 8, 16, 8 }));
            Assert.That(apart.Cost.TransferredBytes, Is.EqualTo(32));
            // a ends at 1, is with d1 at 9 and with the relay at 17; b ends at 14 and has d2's downlink from then on to 22, the relay after it to 30.
            Assert.That(apart.Cost.LatencySeconds, Is.EqualTo(14 + 8 + 8 + 6));
        }
    }

    [Test]
    public void Interface_that_is_not_shared_sends_to_all_at_once_and_bears_no_load()
    {
        PartitionProblem problem = Problem(Diamond(bytes: 8), 3);
        problem = problem with { Fleet = new Fleet(problem.Fleet.Devices.Select(static device => device with { HasSharedInterface = device.Id != "d0" }), defaultLink: Byte) };
        PlanEvaluation apart = Evaluate(problem, 0, 1, 2, 2);
        Assert.That(apart.Devices[0].SendSeconds, Is.Zero);
        Assert.That(apart.Cost.LatencySeconds, Is.EqualTo(1 + 8 + 5 + 8 + 6));
    }

    [Test]
    public void Transfers_that_do_not_overlap_add_to_the_load_of_both_ends()
    {
        PartitionProblem problem = Problem(PlanningGraph.Chain(2, bytes: 4, operations: [2, 3]), 2) with { OverlapTransfers = false };
        PlanEvaluation evaluation = Evaluate(problem, 0, 1);
        Assert.That(evaluation.Devices.Select(static device => device.LoadSeconds), Is.EqualTo(new[] { 6.0, 7.0 }));
        Assert.That(evaluation.Cost.BottleneckSeconds, Is.EqualTo(7));
        Assert.That(evaluation.Cost.LatencySeconds, Is.EqualTo(9));
    }

    [Test]
    public void Cut_penalty_slows_the_layers_on_both_sides()
    {
        var graph = new PlanningGraph();
        int first = graph.Layer(10, [graph.Input(0)], 0, cutPenalty: 0.5);
        graph.Layer(20, [first], 0, isOutput: true);
        PartitionProblem problem = Problem(graph.Build(), 2);
        Assert.That(Evaluate(problem, 0, 0).Cost.LatencySeconds, Is.EqualTo(30));
        PlanEvaluation cut = Evaluate(problem, 0, 1);
        Assert.That(cut.Cost.LatencySeconds, Is.EqualTo(45));
        Assert.That(cut.Devices.Select(static device => device.ComputeSeconds), Is.EqualTo(new[] { 15.0, 30.0 }));
    }

    [Test]
    public void Memory_counts_shared_weights_once_and_activations_at_their_peak()
    {
        var graph = new PlanningGraph();
        int weight = graph.Weight(100);
        int value = graph.Input(1);
        for (int i = 0; i < 3; i++)
            value = graph.Layer(1, [value], 10, [weight, graph.Weight(1)], isOutput: i == 2);
        PlanEvaluation evaluation = Evaluate(Problem(graph.Build(), 2), 0, 0, 0);
        Assert.That(evaluation.Devices[0].WeightBytes, Is.EqualTo(103));
        Assert.That(evaluation.Devices[0].ActivationBytes, Is.EqualTo(1 + 20), "the input, and a layer's input and output");
        Assert.That(evaluation.Devices[1].MemoryBytes, Is.Zero);
    }

    [Test]
    public void Memory_for_both_epochs_counts_what_the_current_plan_keeps()
    {
        ModelGraph graph = PlanningGraph.Chain(2, weightBytes: 100);
        PartitionProblem problem = Problem(graph, 2, One with { MemoryBytes = 250 }) with { CurrentAssignment = [0, 0], Constraints = new PlanConstraints { HoldsBothEpochs = true } };
        PlanEvaluation evaluation = Evaluate(problem, 1, 0);
        Assert.That(evaluation.Devices[0].WeightBytes, Is.EqualTo(200), "layer 1 stays, layer 0 drains");
        Assert.That(evaluation.Devices[1].WeightBytes, Is.EqualTo(100));
        Assert.That(Evaluate(problem with { Constraints = new() }, 1, 0).Devices[0].WeightBytes, Is.EqualTo(100));
    }

    [Test]
    public void Every_constraint_that_is_broken_is_told()
    {
        PartitionProblem problem = Problem(PlanningGraph.Chain(4, weightBytes: 100), 3, One with { MemoryBytes = 150 }) with
        {
            SourceDevice = 0,
            RequestsPerSecond = 0.6,
            Constraints = new PlanConstraints { Pinned = new PlanConstraints().Pinned.Add(3, "d0"), Forbidden = [(1, "d1")], Colocated = [[2, 3], [0, 1]], PrivateLeadingLayers = 1, MaximumDevices = 1 },
        };
        PlanViolationKind[] kinds = [.. Evaluate(problem, 1, 1, 2, 1).Violations.Select(static violation => violation.Kind).Distinct().Order()];
        Assert.That(kinds, Is.EqualTo(new[]
        {
            PlanViolationKind.Memory, PlanViolationKind.Load, PlanViolationKind.Pinned, PlanViolationKind.Forbidden,
            PlanViolationKind.Colocation, PlanViolationKind.Privacy, PlanViolationKind.MaximumDevices,
        }));
    }

    [Test]
    public void Create_for_a_broken_constraint_names_the_device_and_the_bytes()
    {
        PartitionProblem problem = Problem(PlanningGraph.Chain(2, weightBytes: 1000), 2, One with { MemoryBytes = 1500 });
        EdgeSplitException? exception = Assert.Throws<EdgeSplitException>(() => new PlanEvaluator(problem).Create([0, 0], "test"));
        Assert.That(exception!.Error, Is.EqualTo(EdgeSplitError.NoFeasiblePlan));
        Assert.That(exception.Message, Does.Contain("'d0'").And.Contain("503 bytes"));
    }

    [Test]
    public void Timeline_shows_each_stage_and_transfer_within_the_latency()
    {
        PlanEvaluation evaluation = Evaluate(Problem(PlanningGraph.Chain(3, bytes: 2), 2) with { SourceDevice = 0 }, 0, 1, 0);
        Assert.That(evaluation.Timeline.Select(static entry => (entry.Kind, entry.StartSeconds, entry.EndSeconds)), Is.EquivalentTo(new[]
        {
            (TimelineEntryKind.Compute, 0.0, 1.0), (TimelineEntryKind.Transfer, 1.0, 3.0), (TimelineEntryKind.Compute, 3.0, 4.0),
            (TimelineEntryKind.Transfer, 4.0, 6.0), (TimelineEntryKind.Compute, 6.0, 7.0),
        }));
        Assert.That(evaluation.Cost.LatencySeconds, Is.EqualTo(7));
    }

    [Test]
    public void Latency_is_never_below_the_critical_path_nor_above_everything_in_turn()
    {
        for (int seed = 0; seed < 500; seed++)
        {
            PartitionProblem problem = RandomProblems.Create(seed, mostLayers: 12, mostDevices: 4, withConstraints: false);
            var random = new Random(seed);
            int[] assignment = [.. problem.Graph.Layers.Select(_ => random.Next(problem.Fleet.Devices.Length))];
            PlanEvaluation evaluation = new PlanEvaluator(problem).Evaluate(assignment);
            double compute = evaluation.Timeline.Where(static entry => entry.Kind == TimelineEntryKind.Compute).Sum(static entry => entry.EndSeconds - entry.StartSeconds);
            double transfer = evaluation.Timeline.Where(static entry => entry.Kind == TimelineEntryKind.Transfer).Sum(static entry => entry.EndSeconds - entry.StartSeconds);
            Assert.That(evaluation.Cost.LatencySeconds, Is.LessThanOrEqualTo((compute + transfer) * (1 + 1e-9)), $"seed {seed}");
            Assert.That(compute, Is.EqualTo(evaluation.Devices.Sum(static device => device.ComputeSeconds)).Within(1e-9), $"seed {seed}");
            double largest = evaluation.Devices.Select((device, index) => device.ComputeSeconds / problem.Fleet.Devices[index].ConcurrentStages).Max();
            Assert.That(evaluation.Cost.LatencySeconds, Is.GreaterThanOrEqualTo(largest * (1 - 1e-9)), $"seed {seed}");
            foreach (IGrouping<int, TimelineEntry> device in evaluation.Timeline.Where(static entry => entry.Kind == TimelineEntryKind.Compute).GroupBy(static entry => entry.Device))
            {
                foreach (TimelineEntry entry in device)
                    Assert.That(device.Count(other => other.StartSeconds <= entry.StartSeconds && other.EndSeconds > entry.StartSeconds), Is.LessThanOrEqualTo(problem.Fleet.Devices[device.Key].ConcurrentStages), $"seed {seed}");
            }
        }
    }

    private static ModelGraph Diamond(long bytes)
    {
        var graph = new PlanningGraph();
        int a = graph.Layer(1, [graph.Input(bytes)], bytes);
        int b = graph.Layer(5, [a], bytes);
        int c = graph.Layer(5, [a], bytes);
        graph.Layer(1, [b, c], bytes, isOutput: true);
        return graph.Build();
    }

    private static PartitionProblem Problem(ModelGraph graph, int devices, Device? device = null, Link? link = null) => new()
    {
        Graph = graph,
        Fleet = new Fleet(Enumerable.Range(0, devices).Select(index => (device ?? One) with { Id = $"d{index}" }), defaultLink: link ?? Byte),
        CostModel = WeightedCostModel.ForObjective(PlanObjective.Latency),
    };

    private static PlanEvaluation Evaluate(PartitionProblem problem, params ReadOnlySpan<int> assignment) => new PlanEvaluator(problem).Evaluate(assignment);
}
