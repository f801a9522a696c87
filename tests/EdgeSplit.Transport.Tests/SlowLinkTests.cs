using System.Diagnostics;
using EdgeSplit.Agents;
using EdgeSplit.Coordination.Membership;
using EdgeSplit.Tensors;

namespace EdgeSplit.Transport.Tests;

/// <summary>Over real sockets and in real time, as what matters is what waits in the kernel.</summary>
[NonParallelizable]
[CancelAfter(60_000)]
public sealed class SlowLinkTests
{
    private const int LargeBytes = 8 << 20;
    private const long ChokedBytesPerSecond = 1_250_000;
    private static readonly TimeSpan Watch = TimeSpan.FromSeconds(2);

    [Test]
    public async Task ReportAsync_beside_tensors_comes_before_the_lease_ends_when_a_fast_link_is_choked(CancellationToken cancellationToken)
    {
        byte[] large = new byte[LargeBytes];
        var agent = new FakeAgent
        {
            OnExecute = (request, _) => ValueTask.FromResult(new PartialResult(
                request.RequestId,
                request.PartitionId,
                new Dictionary<string, Tensor> { ["y"] = Tensor.Wrap(TensorElementType.UInt8, new TensorShape(LargeBytes), large) },
                TimeSpan.Zero,
                TimeSpan.Zero)),
        };
        await using var server = new AgentServer(agent);
        await server.StartAsync(cancellationToken);
        await using var proxy = new SlowProxy(server.EndPoint);
        await using RemoteEdgeAgent remote = await RemoteEdgeAgent.ConnectAsync(proxy.EndPoint, null, cancellationToken);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        // While the link is fast, the sender learns that it may hand over much at a time.
        for (int i = 0; i < 4; i++)
            (await remote.ExecuteAsync(LocalLink.Request([1]), cancellationToken)).Dispose();
        Task[] flows = [.. Enumerable.Range(0, 2).Select(_ => FlowAsync(remote, ending.Token))];
        await Task.Delay(50, cancellationToken);

        proxy.BytesPerSecond = ChokedBytesPerSecond;

        var latest = TimeSpan.Zero;
        for (long started = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(started) < Watch;)
        {
            long asked = Stopwatch.GetTimestamp();
            await remote.ReportAsync(cancellationToken);
            TimeSpan late = Stopwatch.GetElapsedTime(asked);
            latest = late > latest ? late : latest;
            await Task.Delay(50, cancellationToken);
        }
        TestContext.Out.WriteLine($"The latest report took {latest.TotalMilliseconds:0} ms.");
        Assert.That(latest, Is.LessThan(new MembershipOptions().Lease));
        await ending.CancelAsync();
        await Task.WhenAll(flows);
    }

    private static async Task FlowAsync(RemoteEdgeAgent remote, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
                (await remote.ExecuteAsync(LocalLink.Request([1]), cancellationToken)).Dispose();
        }
        catch (OperationCanceledException)
        {
            // The test has seen enough.
        }
    }
}
