using EdgeSplit.Partitioning;
using EdgeSplit.Tests;

namespace EdgeSplit.Simulation.Tests;

/// <summary>A stage that cannot be split runs on several devices at once.</summary>
public sealed class ReplicationTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Test]
    public async Task Copies_on_three_devices_serve_what_one_could_not()
    {
        // One device answers 10 requests a second; all three 25, the slow one every fifth.
        SimulationReport report = await PlayAsync(20);
        Assert.That(report.Failures, Is.Empty);
        Assert.That(report.Plans[0].Plan.Routes.Select(static route => route.Share), Is.EqualTo(new[] { 0.4, 0.4, 0.2 }).Within(0.01));
        Assert.That(report.Windows.Max(static window => window.P99Seconds), Is.LessThan(10), "Requests pile up.");
    }

    [Test]
    public async Task Copy_that_crashes_costs_no_request_and_one_that_comes_is_used()
    {
        SimulationReport report = await PlayAsync(
            12,
            new ScenarioChange { At = Minute, DeviceId = "a", Event = ScenarioEvent.Crash },
            new ScenarioChange { At = 2 * Minute, DeviceId = "a", Event = ScenarioEvent.Join });
        Assert.That(report.Failures, Is.Empty);
        int[] copies = [.. report.Plans.Select(static plan => plan.Plan.Routes.Length)];
        Assert.That(copies, Has.Length.GreaterThanOrEqualTo(3).And.Contain(2));
        Assert.That((copies[0], copies[^1]), Is.EqualTo((3, 3)));
    }

    [Test]
    public async Task Copy_that_slows_down_gets_fewer_requests()
    {
        SimulationReport report = await PlayAsync(12, new ScenarioChange { At = Minute, DeviceId = "a", SpeedFactor = 0.25 });
        Assert.That(report.Failures, Is.Empty);
        PartitionPlan last = report.Plans[^1].Plan;
        Assert.That(last.Stages.Where(stage => last.Fleet.Devices[stage.Device].Id == "a").Sum(static stage => stage.Share), Is.LessThan(0.2));
    }

    private static async Task<SimulationReport> PlayAsync(double requestsPerSecond, params ScenarioChange[] changes)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["one-layer.json"], """
            {
              "format": "edgesplit.scenario/1",
              "objective": "throughput",
              "model": { "chain": { "layers": 1, "floatOperationsPerLayer": 2e9, "weightBytesPerLayer": 1000000, "activationBytes": 1000 } },
              "devices": [ { "id": "a" } ]
            }
            """);
        ScenarioFile file = ScenarioFile.Read(folder["one-layer.json"]);
        Assert.That(file.Constraints.MaximumReplicas, Is.GreaterThan(1), "Throughput makes copies unless it is told not to.");
        var scenario = new Scenario
        {
            Duration = 3 * Minute,
            Seed = 3,
            RequestsPerSecond = requestsPerSecond,
            Devices = [Scenarios.Device("a"), Scenarios.Device("b"), Scenarios.Device("c", gigaflops: 10)],
            Changes = [.. changes],
        };
        return await new Simulator(scenario, file.Graph!, Scenarios.Throughput with { Constraints = file.Constraints }).RunAsync();
    }
}
