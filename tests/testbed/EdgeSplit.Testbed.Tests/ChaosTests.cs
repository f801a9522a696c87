using System.Globalization;
using EdgeSplit.Testbed.Chaos;

namespace EdgeSplit.Testbed.Tests;

/// <summary>Real agents that are killed, stopped, restarted and cut off while requests run. EDGESPLIT_CHAOS_SECONDS lets it go on for longer.</summary>
internal sealed class ChaosTests
{
    private const string SecondsVariable = "EDGESPLIT_CHAOS_SECONDS";

    [Test]
    public async Task RunAsync_agentsFailAllTheTime_givesEveryRequestTheUnsplitModelsResultOnce()
    {
        if (TestbedSupport.NoProcessesReason is { } reason)
            Assert.Ignore(reason);
        if (TestbedSupport.NoNetworksReason is { } missing)
            TestContext.Out.WriteLine($"Links are neither cut nor choked: {missing}");
        TimeSpan duration = TimeSpan.FromSeconds(double.Parse(Environment.GetEnvironmentVariable(SecondsVariable) ?? "20", CultureInfo.InvariantCulture));
        var options = new ChaosOptions { Duration = duration, Progress = static fault => TestContext.Out.WriteLine(fault) };

        ChaosReport report = await ChaosRun.RunAsync(options);

        TestContext.Out.WriteLine($"{report.Outcomes.Count} requests, {report.Faults.Length} faults, {report.Plans} plans");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(report.Faults, Is.Not.Empty);
            Assert.That(report.Lost.Select(static outcome => outcome.Failure), Is.Empty);
            Assert.That(report.Wrong, Is.Empty);
            Assert.That(report.Duplicates, Is.Zero);
            // Generous: what the machine's other work allows. A fault that is never recovered from is what this finds.
            Assert.That(report.Faults.Where(static fault => fault.Kind != FaultKind.Choke).Select(static fault => fault.Recovery), Has.None.Null);
        }
    }
}
