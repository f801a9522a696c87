using EdgeSplit.Coordination;
using EdgeSplit.Models;
using EdgeSplit.Onnx;
using EdgeSplit.Partitioning;
using EdgeSplit.Testbed.Load;
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

    [Test]
    public async Task RepartitionAsync_twoLayersMoved_sendsOnlyTheirWeights()
    {
        if (TestbedSupport.NoProcessesReason is { } reason)
            Assert.Ignore(reason);
        using TestModel model = await TestModel.CreateAsync("resnet18", samples: 1);
        await using TestbedSystem testbed = await TestbedSystem.StartAsync(
            new TestbedOptions { Agents = 2, HasNetworks = false, Coordinator = new CoordinatorOptions { Adaptation = null } }, model.Format);
        using var opened = (OnnxModel)await model.Format.OpenAsync(model.Path, CancellationToken.None);
        (PartitionPlan first, PartitionPlan second) = SwapRun.PlanPair(await testbed.Coordinator.CreateProblemAsync(opened.Graph));
        var sent = new SentBytes();
        await using Deployment deployment = await testbed.Coordinator.DeployAsync(model.Path, new DeploymentOptions { Plan = first, Progress = sent });
        long before = sent.Take();
        await deployment.RepartitionAsync(second);
        long after = sent.Take();

        // What the second stage holds now and did not before.
        HashSet<string> held = [.. opened.Extract(first.Stages[1].Layers).Blobs.Select(static blob => blob.Hash.ToString())];
        ModelPartition larger = opened.Extract(second.Stages[1].Layers);
        long moved = larger.Blobs.Where(blob => !held.Contains(blob.Hash.ToString())).Sum(static blob => blob.ByteCount);
        TestContext.Out.WriteLine($"{before} bytes were sent for the first plan, {after} for the second; the two layers have {moved}");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(moved, Is.GreaterThan(0));
            Assert.That(after, Is.EqualTo(moved));
            // Which layers are moved depends on how fast the agents found themselves to be.
            Assert.That(before, Is.GreaterThan(2 * after));
        }
    }

    private sealed class SentBytes : IProgress<DeploymentProgress>
    {
        private long _bytes;

        public void Report(DeploymentProgress value) => _bytes = Math.Max(_bytes, value.SentBytes);

        public long Take() => Interlocked.Exchange(ref _bytes, 0);
    }
}
