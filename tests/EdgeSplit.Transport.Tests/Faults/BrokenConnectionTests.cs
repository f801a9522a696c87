using EdgeSplit.Agents;
using EdgeSplit.Models;
using EdgeSplit.Transport.Testing;
using Microsoft.Extensions.Time.Testing;

namespace EdgeSplit.Transport.Tests.Faults;

[CancelAfter(60_000)]
public sealed class BrokenConnectionTests
{
    [Test]
    public async Task ExecuteAsync_connection_dropped_at_any_byte_fails_as_unavailable_and_the_server_goes_on(
        [Values(true, false)] bool serverSuffers, CancellationToken cancellationToken)
    {
        // One echo of 3,000 bytes takes about 3,300 bytes each way, the handshake included.
        for (long offset = 1; offset < 3200; offset += 97)
        {
            var faults = new ConnectionFaults { DropAfterBytes = offset };
            await using var link = await TryStartAsync(serverSuffers, faults);
            if (link is null)
                continue;
            EdgeSplitException? exception = await FailureOfAsync(link.EchoAsync(3000, cancellationToken));

            Assert.That(exception?.Error, Is.EqualTo(EdgeSplitError.AgentUnavailable), $"dropped after {offset} bytes");
            await link.Remote.Disconnected.WaitAsync(cancellationToken);
            Assert.That((await FailureOfAsync(link.EchoAsync(1, cancellationToken)))?.Error, Is.EqualTo(EdgeSplitError.AgentUnavailable));
            await link.NothingIsLeftAsync(cancellationToken);
        }
    }

    [Test]
    public async Task ExecuteAsync_frames_split_at_any_byte_work([Values(true, false)] bool serverSuffers, CancellationToken cancellationToken)
    {
        for (long offset = 1; offset < 700; offset += 3)
        {
            await using var link = await TryStartAsync(serverSuffers, new ConnectionFaults { SplitAtByte = offset });
            await link!.EchoAsync(300, cancellationToken);
        }
    }

    [Test]
    public async Task ExecuteAsync_one_byte_at_a_time_works(CancellationToken cancellationToken)
    {
        var faults = new ConnectionFaults { MaxReceiveBytes = 1 };
        await using LocalLink link = await LocalLink.StartAsync(
            serverTransport: inner => new FaultInjectingTransport(inner, faults), transport: inner => new FaultInjectingTransport(inner, faults));

        await link.EchoAsync(5000, cancellationToken);
        await link.NothingIsLeftAsync(cancellationToken);
    }

    [Test]
    public Task ExecuteAsync_any_byte_corrupted_harms_nobody_else(CancellationToken cancellationToken) => Task.WhenAll(
        Enumerable.Range(0, 210).Select(i => CorruptAsync(2 * i, cancellationToken)));

    [Test]
    public async Task Heartbeat_peer_that_stalls_is_given_up_after_the_idle_timeout(CancellationToken cancellationToken)
    {
        var time = new FakeTimeProvider();
        await using LocalLink link = await LocalLink.StartAsync(
            options: new RemoteEdgeAgentOptions { TimeProvider = time },
            transport: inner => new FaultInjectingTransport(inner, new ConnectionFaults { StallAfterBytes = 400 }));
        Task call = link.EchoAsync(3000, cancellationToken);

        for (int second = 0; second <= 25 && !call.IsCompleted; second++)
            time.Advance(TimeSpan.FromSeconds(1));

        EdgeSplitException? exception = await FailureOfAsync(call.WaitAsync(cancellationToken));
        Assert.That(exception?.Error, Is.EqualTo(EdgeSplitError.AgentUnavailable));
        Assert.That(exception?.Message, Does.Contain("Nothing was heard"));
    }

    [Test]
    public async Task Server_client_vanishes_during_an_execution_cancels_it_unloads_and_serves_the_next(CancellationToken cancellationToken)
    {
        await using LocalLink link = await LocalLink.StartAsync(
            transport: inner => new FaultInjectingTransport(inner, number => new ConnectionFaults { DropAfterBytes = number == 0 ? 400 : null }));
        var started = new TaskCompletionSource();
        var cancelled = new TaskCompletionSource();
        link.Agent.OnExecute = async (_, token) =>
        {
            started.TrySetResult();
            await Task.Delay(Timeout.Infinite, token).ContinueWith(_ => cancelled.SetResult(), TaskScheduler.Default);
            throw new OperationCanceledException(token);
        };
        var partition = new ModelPartition { Skeleton = new byte[] { 1 }, Blobs = [], Inputs = [], Outputs = [] };
        await link.Remote.LoadAsync(new ModelPartitionRequest("m", partition), NoBlobs.Instance, cancellationToken);
        Task call = link.EchoAsync(10, cancellationToken);
        await started.Task.WaitAsync(cancellationToken);

        // Answers arrive until they are more than this client's connection survives.
        while (!link.Remote.Disconnected.IsCompleted)
            await FailureOfAsync(link.Remote.DescribeAsync(cancellationToken).AsTask());

        Assert.That((await FailureOfAsync(call.WaitAsync(cancellationToken)))?.Error, Is.EqualTo(EdgeSplitError.AgentUnavailable));
        await cancelled.Task.WaitAsync(cancellationToken);
        while (link.Server.ConnectionCount > 0)
            await Task.Yield();
        Assert.That(link.Agent.Loaded[partition.Id], Is.Zero);
        await link.NothingIsLeftAsync(cancellationToken);
        await using RemoteEdgeAgent next = await link.ConnectAsync(cancellationToken);
        Assert.That((await next.DescribeAsync(cancellationToken)).Runtime, Is.EqualTo("fake 1"));
    }

    private static async Task CorruptAsync(long offset, CancellationToken cancellationToken)
    {
        await using LocalLink? link = await TryStartAsync(
            serverSuffers: true, number => new ConnectionFaults { CorruptByte = number == 0 ? offset : null });
        if (link is null)
            return;
        using var givingUp = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<PartialResult> call = link.Remote.ExecuteAsync(LocalLink.Request(new byte[100]), givingUp.Token).AsTask();
        // A length that became larger makes the server wait for bytes that never come, until the caller gives up.
        if (await Task.WhenAny(call, Task.Delay(500, cancellationToken)) != call)
            await givingUp.CancelAsync();
        try
        {
            (await call).Dispose();
        }
        catch (Exception exception) when (exception is EdgeSplitException or OperationCanceledException)
        {
            // The connection said what was wrong, or was given up.
        }
        await using RemoteEdgeAgent next = await link.ConnectAsync(cancellationToken);
        Assert.That((await next.DescribeAsync(cancellationToken)).Runtime, Is.EqualTo("fake 1"), $"after a wrong bit in byte {offset}");
    }

    private static Task<LocalLink?> TryStartAsync(bool serverSuffers, ConnectionFaults faults) => TryStartAsync(serverSuffers, _ => faults);

    private static async Task<LocalLink?> TryStartAsync(bool serverSuffers, Func<int, ConnectionFaults> faults)
    {
        try
        {
            return await LocalLink.StartAsync(
                serverTransport: serverSuffers ? inner => new FaultInjectingTransport(inner, faults) : null,
                transport: serverSuffers ? null : inner => new FaultInjectingTransport(inner, faults));
        }
        catch (EdgeSplitException exception) when (exception.Error is EdgeSplitError.AgentUnavailable or EdgeSplitError.ProtocolViolation)
        {
            // It was dropped or spoilt within the handshake.
            return null;
        }
    }

    private static async Task<EdgeSplitException?> FailureOfAsync(Task call)
    {
        try
        {
            await call;
            return null;
        }
        catch (EdgeSplitException exception)
        {
            return exception;
        }
    }
}
