using EdgeSplit.Coordination.Adaptation;
using EdgeSplit.Partitioning;

namespace EdgeSplit.Simulation.Tests;

/// <summary>The coordinator adapts to what changes, once, and to nothing else.</summary>
public sealed class AdaptationTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private static Scenario Three(TimeSpan duration, double noise = 0, params ScenarioChange[] changes) => new()
    {
        Duration = duration,
        Seed = 7,
        RequestsPerSecond = 10,
        Noise = noise,
        Devices = [Scenarios.Device("a"), Scenarios.Device("b"), Scenarios.Device("c")],
        Changes = [.. changes],
    };

    private static IEnumerable<RepartitionDecision> Switches(SimulationReport report) => report.Decisions.Where(static decision => decision.Switched);

    [Test]
    public async Task Noise_of_a_fifth_for_an_hour_switches_nothing([Values(1, 2)] int seed)
    {
        SimulationReport report = await Scenarios.PlayAsync(Three(TimeSpan.FromHours(1), noise: 0.2) with { Seed = seed });
        Assert.That(Switches(report), Is.Empty);
        Assert.That(report.Plans, Has.Length.EqualTo(1));
        Assert.That(report.Failures, Is.Empty);
    }

    [Test]
    public async Task One_change_amid_noise_switches_once()
    {
        SimulationReport report = await Scenarios.PlayAsync(Three(TimeSpan.FromMinutes(30), 0.2, new ScenarioChange { At = 10 * Minute, DeviceId = "b", SpeedFactor = 0.25 }));
        RepartitionDecision decision = Switches(report).Single();
        Assert.That(decision.Trigger, Is.EqualTo(RepartitionTrigger.StageTime));
        Assert.That(decision.Reason, Is.Not.Empty);
        TimeSpan reaction = decision.Time - report.StartTime - (10 * Minute);
        Assert.That(reaction, Is.InRange(TimeSpan.Zero, TimeSpan.FromSeconds(3)));
        Assert.That(report.Failures, Is.Empty);
    }

    [Test]
    public async Task Device_at_a_quarter_of_its_speed_gives_a_plan_as_good_as_the_best_for_it()
    {
        SimulationReport report = await Scenarios.PlayAsync(Three(5 * Minute, 0, new ScenarioChange { At = Minute, DeviceId = "b", SpeedFactor = 0.25 }));
        double best = await BestBottleneckAsync(Scenarios.Device("b", gigaflops: 5));
        Assert.That(report.Plans[^1].Plan.Cost.BottleneckSeconds, Is.LessThan(1.1 * best));
        Assert.That(report.Plans[0].Plan.Cost.BottleneckSeconds, Is.LessThan(best), "The change makes no difference, so the test proves nothing.");
    }

    [Test]
    public async Task Link_at_a_tenth_gives_a_plan_as_good_as_the_best_for_it()
    {
        Scenario scenario = With(Three(5 * Minute, 0, new ScenarioChange { At = Minute, DeviceId = "b", BandwidthFactor = 0.1 }), Scenarios.Device("b", megabytesPerSecond: 10));
        SimulationReport report = await Scenarios.PlayAsync(scenario);
        double best = await BestBottleneckAsync(Scenarios.Device("b", megabytesPerSecond: 1));
        Assert.That(Switches(report).First().Trigger, Is.EqualTo(RepartitionTrigger.LinkTime));
        Assert.That(report.Plans[^1].Plan.Cost.BottleneckSeconds, Is.LessThan(1.1 * best));
        Assert.That(report.Plans[0].Plan.Cost.BottleneckSeconds, Is.LessThan(0.9 * best), "The change makes no difference, so the test proves nothing.");
    }

    [Test]
    public async Task Link_at_a_fiftieth_is_noticed_while_the_first_tensors_are_on_their_way()
    {
        Scenario scenario = With(Three(2 * Minute, 0, new ScenarioChange { At = Minute, DeviceId = "b", BandwidthFactor = 0.02 }), Scenarios.Device("b", megabytesPerSecond: 10));
        SimulationReport report = await Scenarios.PlayAsync(scenario);
        RepartitionDecision decision = report.Decisions[0];
        Assert.That(decision.Trigger, Is.EqualTo(RepartitionTrigger.LinkTime));
        Assert.That(decision.Reason, Does.StartWith("What stands by takes over at once"));
        Assert.That(report.Windows.Max(static window => window.P99Seconds), Is.LessThan(1), "Requests have waited for the slow link.");
        Assert.That(report.Plans[^1].Plan.Cost.BottleneckSeconds, Is.LessThan(1.1 * await BestBottleneckAsync(Scenarios.Device("b", megabytesPerSecond: 0.2))));
        TimeSpan reaction = decision.Time - report.StartTime - Minute;
        Assert.That(reaction, Is.LessThan(TimeSpan.FromSeconds(1)));
        PartitionPlan before = report.Plans[0].Plan;
        double slowBytes = before.Stages.Where(stage => before.Fleet.Devices[stage.Device].Id == "b").Sum(stage => stage.Inputs.Concat(stage.Outputs).Sum(value => before.Graph.Activations[value].ByteCount));
        Assert.That(slowBytes / 0.2e6, Is.GreaterThan(reaction.TotalSeconds), "Tensors arrive as early, so the test proves nothing.");
        Assert.That(report.Failures, Is.Empty);
    }

    [Test]
    public async Task Agent_that_joins_is_used()
    {
        Scenario scenario = Three(2 * Minute, 0, new ScenarioChange { At = Minute, DeviceId = "d", Event = ScenarioEvent.Join });
        SimulationReport report = await Scenarios.PlayAsync(scenario with { Devices = scenario.Devices.Add(Scenarios.Device("d", 80) with { IsPresent = false }) });
        Assert.That(Switches(report).Select(static decision => decision.Trigger), Is.EqualTo(new[] { RepartitionTrigger.AgentCame }));
        Assert.That(report.Plans[^1].Plan.Fleet.IndexOf("d"), Is.GreaterThanOrEqualTo(0));
        Assert.That(Users(report.Plans[^1].Plan), Does.Contain("d"));
    }

    [Test]
    public async Task Load_of_other_programs_moves_layers_away()
    {
        SimulationReport report = await Scenarios.PlayAsync(Three(2 * Minute, 0, new ScenarioChange { At = Minute, DeviceId = "b", OtherLoad = 0.8 }));
        Assert.That(Switches(report).ToArray(), Has.Length.EqualTo(1));
        PartitionPlan before = report.Plans[0].Plan, after = report.Plans[^1].Plan;
        Assert.That(LayersOn(after, "b"), Is.LessThan(LayersOn(before, "b")));
    }

    [Test]
    public async Task Device_that_was_left_out_as_it_had_become_slow_is_used_again_when_it_is_fast()
    {
        Scenario scenario = Three(
            10 * Minute,
            0,
            new ScenarioChange { At = Minute, DeviceId = "b", SpeedFactor = 0.05 },
            new ScenarioChange { At = 5 * Minute, DeviceId = "b", SpeedFactor = 1 });
        SimulationReport report = await Scenarios.PlayAsync(scenario);
        RepartitionDecision[] switches = [.. Switches(report)];
        Assert.That(switches, Has.Length.EqualTo(2));
        Assert.That(Users(report.Plans[1].Plan), Does.Not.Contain("b"), "It is not left out, so the test proves nothing.");
        Assert.That(switches[1].Cause, Does.StartWith("Agent 'b', which runs nothing now,"));
        Assert.That(report.Plans[^1].Plan.Assignment, Is.EqualTo(report.Plans[0].Plan.Assignment));
        // Tried after 15, 30, 60, 120 and 240 s: the first try after the change is the fifth.
        Assert.That(switches[1].Time - report.StartTime, Is.InRange(5 * Minute, 9 * Minute));
        Assert.That(report.Failures, Is.Empty);
    }

    [Test]
    public async Task Device_that_stays_slow_is_tried_again_and_left_out()
    {
        SimulationReport report = await Scenarios.PlayAsync(Three(10 * Minute, 0.2, new ScenarioChange { At = Minute, DeviceId = "b", SpeedFactor = 0.05 }));
        Assert.That(Switches(report).ToArray(), Has.Length.EqualTo(1));
        Assert.That(report.Failures, Is.Empty);
    }

    [Test]
    public async Task Nothing_is_adapted_where_that_is_switched_off()
    {
        SimulationReport report = await Scenarios.PlayAsync(
            Three(2 * Minute, 0, new ScenarioChange { At = Minute, DeviceId = "b", SpeedFactor = 0.25 }), Scenarios.Throughput with { Adaptation = null });
        Assert.That(report.Decisions, Is.Empty);
        Assert.That(report.Plans, Has.Length.EqualTo(1));
    }

    private static async Task<double> BestBottleneckAsync(ScenarioDevice changed)
    {
        return (await Scenarios.PlayAsync(With(Three(TimeSpan.FromSeconds(1)), changed))).Plans[0].Plan.Cost.BottleneckSeconds;
    }

    /// <summary>The scenario with another device of the same id.</summary>
    private static Scenario With(Scenario scenario, ScenarioDevice changed) =>
        scenario with { Devices = [.. scenario.Devices.Select(device => device.Device.Id == changed.Device.Id ? changed : device)] };

    private static IEnumerable<string> Users(PartitionPlan plan) => plan.Stages.Select(stage => plan.Fleet.Devices[stage.Device].Id);

    private static int LayersOn(PartitionPlan plan, string id) => plan.Assignment.Count(device => plan.Fleet.Devices[device].Id == id);
}
