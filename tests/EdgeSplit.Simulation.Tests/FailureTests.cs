using EdgeSplit.Coordination.Adaptation;
using EdgeSplit.Partitioning;

namespace EdgeSplit.Simulation.Tests;

/// <summary>Agents crash, fall silent, leave and come back, and no request is lost.</summary>
public sealed class FailureTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private static Scenario Two(params ScenarioChange[] changes) => new()
    {
        Duration = 2 * Minute,
        Seed = 3,
        RequestsPerSecond = 5,
        Devices = [Scenarios.Device("a"), Scenarios.Device("b")],
        Changes = [.. changes],
    };

    [TestCase(ScenarioEvent.Crash, RepartitionTrigger.AgentWent, 0.5)]
    // Its tensors are missed before its lease ends.
    [TestCase(ScenarioEvent.FallSilent, RepartitionTrigger.LinkTime, 0.7)]
    public async Task Agent_that_is_gone_costs_no_request_and_is_noticed_within_a_second(ScenarioEvent what, RepartitionTrigger trigger, double seconds)
    {
        SimulationReport report = await Scenarios.PlayAsync(Two(new ScenarioChange { At = Minute, DeviceId = "a", Event = what }));
        Assert.That(report.Failures, Is.Empty);
        RepartitionDecision decision = report.Decisions.Single(static decision => decision.Switched);
        Assert.That(decision.Trigger, Is.EqualTo(trigger));
        TimeSpan noticed = decision.Time - decision.Elapsed - report.StartTime - Minute;
        Assert.That(noticed.TotalSeconds, Is.InRange(0, seconds));
        PartitionPlan plan = report.Plans[^1].Plan;
        Assert.That(plan.Stages.Select(stage => plan.Fleet.Devices[stage.Device].Id), Is.EqualTo(new[] { "b" }));
        Assert.That(report.Windows.Max(static window => window.P99Seconds), Is.LessThan(seconds + 0.5), "Requests have waited for the agent.");
    }

    [Test]
    public async Task Agent_that_leaves_in_good_order_costs_no_request()
    {
        SimulationReport report = await Scenarios.PlayAsync(Two(new ScenarioChange { At = Minute, DeviceId = "b", Event = ScenarioEvent.Leave }));
        Assert.That(report.Failures, Is.Empty);
        Assert.That(report.Plans[^1].Plan.Stages.Select(static stage => stage.Device).Distinct().Count(), Is.EqualTo(1));
    }

    [Test]
    public async Task Requests_without_any_agent_wait_for_one_to_come_back()
    {
        SimulationReport report = await Scenarios.PlayAsync(Two(
            new ScenarioChange { At = Minute, DeviceId = "a", Event = ScenarioEvent.Crash },
            new ScenarioChange { At = Minute, DeviceId = "b", Event = ScenarioEvent.Crash },
            new ScenarioChange { At = Minute + TimeSpan.FromSeconds(10), DeviceId = "b", Event = ScenarioEvent.Join }));
        Assert.That(report.Failures, Is.Empty);
        Assert.That(report.Windows.Max(static window => window.P99Seconds), Is.GreaterThan(5), "Nobody has waited.");
    }

    [Test]
    public async Task Requests_that_no_agent_can_run_fail_when_their_time_is_up_and_say_why()
    {
        SimulationReport report = await Scenarios.PlayAsync(
            Two(new ScenarioChange { At = Minute, DeviceId = "a", Event = ScenarioEvent.Crash }, new ScenarioChange { At = Minute, DeviceId = "b", Event = ScenarioEvent.Crash }),
            Scenarios.Throughput with { CapacityTimeout = TimeSpan.FromSeconds(5) });
        Assert.That(report.Failures.Keys, Is.EqualTo(new[] { nameof(EdgeSplitError.AgentUnavailable) }));
        Assert.That(report.Failures.Values.Sum(), Is.InRange(250, 350), "About five a second for a minute.");
    }

    [Test]
    public async Task Agent_that_flaps_is_kept_out_for_a_while()
    {
        var changes = new List<ScenarioChange>();
        for (int i = 0; i < 4; i++)
        {
            changes.Add(new ScenarioChange { At = TimeSpan.FromSeconds(20 + (10 * i)), DeviceId = "b", Event = ScenarioEvent.Crash });
            changes.Add(new ScenarioChange { At = TimeSpan.FromSeconds(22 + (10 * i)), DeviceId = "b", Event = ScenarioEvent.Join });
        }
        SimulationReport report = await Scenarios.PlayAsync(Two([.. changes]));
        Assert.That(report.Failures, Is.Empty);
        double[] used = [.. report.Plans.Where(static plan => plan.Plan.Stages.Any(stage => plan.Plan.Fleet.Devices[stage.Device].Id == "b")).Select(static plan => plan.At.TotalSeconds)];
        // Lost for the third time at 40 s it stays out for 10 s, and for 20 s more after the fourth.
        Assert.That(used, Has.None.InRange(41, 51));
        Assert.That(used.Last(), Is.GreaterThan(51), "It never came back.");
    }

    [Test]
    public async Task Overload_serves_as_many_as_there_is_room_for()
    {
        Scenario scenario = Two() with { RequestsPerSecond = 50, Deadline = TimeSpan.FromSeconds(5) };
        SimulationReport report = await Scenarios.PlayAsync(scenario);
        double capacity = 1 / report.Plans[^1].Plan.Cost.BottleneckSeconds;
        Assert.That(report.Completed / scenario.Duration.TotalSeconds, Is.GreaterThan(0.85 * capacity));
    }
}
