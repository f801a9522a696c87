
namespace EdgeSplit.Simulation.Tests;

/// <remarks>Latencies may differ by a little where several requests are let go at the same instant, at a switch of plans: which of them a device serves first is not settled.</remarks>
public sealed class DeterminismTests
{
    private static Scenario Eventful(int seed) => new()
    {
        Duration = TimeSpan.FromMinutes(3),
        Seed = seed,
        RequestsPerSecond = 8,
        Noise = 0.1,
        Devices = [Scenarios.Device("a"), Scenarios.Device("b", 10), Scenarios.Device("c", 40, 10), Scenarios.Device("d") with { IsPresent = false }],
        Changes =
        [
            new ScenarioChange { At = TimeSpan.FromSeconds(30), DeviceId = "a", SpeedFactor = 0.3 },
            new ScenarioChange { At = TimeSpan.FromSeconds(60), DeviceId = "d", Event = ScenarioEvent.Join },
            new ScenarioChange { At = TimeSpan.FromSeconds(90), DeviceId = "b", OtherLoad = 0.7 },
            new ScenarioChange { At = TimeSpan.FromSeconds(120), DeviceId = "c", BandwidthFactor = 0.1 },
            new ScenarioChange { At = TimeSpan.FromSeconds(150), RequestsPerSecond = 2 },
        ],
    };

    [Test]
    public async Task Same_scenario_gives_the_same_report_even_while_the_machine_is_busy()
    {
        string expected = Describe(await Scenarios.PlayAsync(Eventful(1)));
        using var stop = new CancellationTokenSource();
        var burner = new Thread(() =>
        {
            while (!stop.IsCancellationRequested)
                Thread.SpinWait(1000);
        });
        burner.Start();
        try
        {
            for (int i = 0; i < 2; i++)
                Assert.That(Describe(await Scenarios.PlayAsync(Eventful(1))), Is.EqualTo(expected));
        }
        finally
        {
            await stop.CancelAsync();
            burner.Join();
        }
    }

    [Test]
    public async Task Another_seed_gives_another_report() =>
        Assert.That(Describe(await Scenarios.PlayAsync(Eventful(1))), Is.Not.EqualTo(Describe(await Scenarios.PlayAsync(Eventful(2)))));

    private static string Describe(SimulationReport report) => string.Join('\n', [
        .. report.Windows.Select(static window => $"{window.Start} {window.Requests} {window.Completed} {window.Failed}"),
        .. report.Plans.Select(static plan => $"{plan.At} {plan.Epoch} {string.Join(',', plan.Plan.Assignment)}"),
        .. report.Decisions.Select(static decision => $"{decision.Time:O} {decision.Cause} {decision.Reason}"),
    ]);
}
