using EdgeSplit.Testbed.Swaps;

namespace EdgeSplit.Testbed.Tests;

internal sealed class SwapTests
{
    [Test]
    public async Task RunAsync_thirtySwapsUnderLoad_failsNoRequestAndChangesNoOutput()
    {
        if (TestbedSupport.NoProcessesReason is { } reason)
            Assert.Ignore(reason);
        const int Swaps = 30;

        SwapReport report = await SwapRun.RunAsync("bert-tiny", Swaps, TimeSpan.FromSeconds(1), TimeSpan.Zero, inFlight: 4);

        TestContext.Out.WriteLine($"{report.During.Count} requests, a swap {report.MedianSwap.TotalMilliseconds:0} ms, memory {report.QuietBytes >> 20} MiB, at most {report.PeakBytes >> 20} MiB");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(report.During, Is.Not.Empty);
            Assert.That(report.During.Where(static outcome => !outcome.IsRight), Is.Empty);
            Assert.That(report.During.Select(static outcome => outcome.Epoch).Distinct().Count(), Is.GreaterThan(Swaps / 2));
        }
    }
}
