using EdgeSplit.Agents;
using EdgeSplit.Tensors;
using EdgeSplit.Transport.Testing;
using Microsoft.Extensions.Time.Testing;

namespace EdgeSplit.Transport.Tests;

/// <summary>Credits, priorities, cancellation and deadlines.</summary>
[CancelAfter(60_000)]
public sealed class FlowTests
{
    private static readonly TransportLimits Narrow = new() { MaxTensorBytes = 1000, MaxBufferedBytes = 2500 };

    [Test]
    public async Task ExecuteAsync_more_than_the_window_at_a_time_waits_and_all_come_through(CancellationToken cancellationToken)
    {
        await using LocalLink link = await LocalLink.StartAsync(
            new AgentServerOptions { Limits = Narrow }, new RemoteEdgeAgentOptions { Limits = Narrow });

        await Task.WhenAll(Enumerable.Range(0, 200).Select(i => link.EchoAsync((i * 37 % 1000) + 1, cancellationToken)));

        await link.NothingIsLeftAsync(cancellationToken);
    }

    [Test]
    public async Task ExecuteAsync_server_holds_no_more_than_its_window(CancellationToken cancellationToken)
    {
        await using LocalLink link = await LocalLink.StartAsync(new AgentServerOptions { Limits = Narrow });
        var gate = new TaskCompletionSource();
        link.Agent.OnExecute = async (request, token) =>
        {
            await gate.Task.WaitAsync(token);
            return FakeAgent.Echo(request);
        };

        Task[] calls = [.. Enumerable.Range(0, 10).Select(_ => link.EchoAsync(1000, cancellationToken))];
        while (link.Agent.Executing < 2)
            await Task.Yield();
        await link.Remote.DescribeAsync(cancellationToken);

        Assert.That(link.Agent.Executing, Is.EqualTo(2), "2,500 bytes have room for two requests of 1,000.");
        gate.SetResult();
        await Task.WhenAll(calls);
    }

    [Test]
    public async Task ExecuteAsync_tensor_beyond_the_agents_limit_fails_here_and_the_connection_goes_on(CancellationToken cancellationToken)
    {
        await using LocalLink link = await LocalLink.StartAsync(new AgentServerOptions { Limits = Narrow });

        EdgeSplitException? exception = await Assert.ThrowsAsync<EdgeSplitException>(() => link.EchoAsync(1001, cancellationToken));

        Assert.That(exception!.Error, Is.EqualTo(EdgeSplitError.InvalidInput));
        Assert.That(exception.Message, Does.Contain("'x'").And.Contain("1001"));
        await link.EchoAsync(1000, cancellationToken);
    }

    [Test]
    public async Task ExecuteAsync_answer_beyond_the_callers_limit_fails_and_the_connection_goes_on(CancellationToken cancellationToken)
    {
        await using LocalLink link = await LocalLink.StartAsync(options: new RemoteEdgeAgentOptions { Limits = Narrow });

        EdgeSplitException? exception = await Assert.ThrowsAsync<EdgeSplitException>(() => link.EchoAsync(1001, cancellationToken));

        Assert.That(exception!.Error, Is.EqualTo(EdgeSplitError.InvalidInput));
        await link.EchoAsync(1000, cancellationToken);
    }

    [Test]
    public async Task ExecuteAsync_too_many_at_a_time_are_refused_as_overload(CancellationToken cancellationToken)
    {
        await using LocalLink link = await LocalLink.StartAsync(
            new AgentServerOptions { Limits = new TransportLimits { MaxConcurrentRequests = 2 } });
        var gate = new TaskCompletionSource();
        link.Agent.OnExecute = async (request, token) =>
        {
            await gate.Task.WaitAsync(token);
            return FakeAgent.Echo(request);
        };
        Task[] running = [link.EchoAsync(1, cancellationToken), link.EchoAsync(2, cancellationToken)];
        while (link.Agent.Executing < 2)
            await Task.Yield();

        EdgeSplitException? exception = await Assert.ThrowsAsync<EdgeSplitException>(() => link.EchoAsync(3, cancellationToken));

        Assert.That(exception!.Error, Is.EqualTo(EdgeSplitError.Overloaded));
        gate.SetResult();
        await Task.WhenAll(running);
        await link.EchoAsync(3, cancellationToken);
    }

    [Test]
    public async Task ReportAsync_overtakes_a_tensor_that_is_being_sent(CancellationToken cancellationToken)
    {
        // One second for each MiB: the tensor would take 16 s, a chunk a quarter of one.
        var time = new FakeTimeProvider();
        var slow = new LinkProfile { BytesPerSecond = 1 << 20 };
        await using LocalLink link = await LocalLink.StartAsync(transport: inner => new ThrottledTransport(inner, slow, time));
        Task large = link.EchoAsync(16 << 20, cancellationToken);

        Task<ResourceReport> report = link.Remote.ReportAsync(cancellationToken).AsTask();
        TimeSpan waited = TimeSpan.Zero;
        while (!report.IsCompleted)
        {
            time.Advance(TimeSpan.FromMilliseconds(10));
            waited += TimeSpan.FromMilliseconds(10);
            for (int i = 0; i < 20 && !report.IsCompleted; i++)
                await Task.Yield();
        }

        Assert.That(large.IsCompleted, Is.False);
        Assert.That(waited, Is.LessThan(TimeSpan.FromSeconds(8)));
        _ = large.ContinueWith(static task => task.Exception, TaskScheduler.Default);
        await link.Server.DisposeAsync();
    }

    [Test]
    public async Task ExecuteAsync_cancelled_in_mid_tensor_leaves_the_connection_usable_and_the_memory_free(CancellationToken cancellationToken)
    {
        // The link holds 64 KiB, so the server stops receiving in the middle of the tensor while it is held up.
        var faults = new SwitchedFaults();
        await using LocalLink link = await LocalLink.StartAsync(serverTransport: faults.Wrap);
        await link.EchoAsync(1, cancellationToken);
        faults.Stall();
        byte[] bytes = new byte[8 << 20];
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<PartialResult> call = link.Remote.ExecuteAsync(LocalLink.Request(bytes), cancellation.Token).AsTask();
        await Task.Yield();

        cancellation.Cancel();
        faults.GoOn();

        await Assert.ThatAsync(async () => await call, Throws.InstanceOf<OperationCanceledException>());
        // The memory is the caller's again: nothing that is written into it now may reach the agent.
        bytes.AsSpan().Fill(0xEE);
        await link.EchoAsync(100_000, cancellationToken);
        await link.NothingIsLeftAsync(cancellationToken);
        Assert.That(link.Agent.Executing, Is.Zero);
    }

    [Test]
    public async Task ExecuteAsync_cancelled_while_the_answer_comes_stops_it(CancellationToken cancellationToken)
    {
        // The answer would take 16 s, one chunk of it a quarter of a second.
        var time = new FakeTimeProvider();
        var slow = new LinkProfile { BytesPerSecond = 1 << 20 };
        await using LocalLink link = await LocalLink.StartAsync(serverTransport: inner => new ThrottledTransport(inner, slow, time));
        var answering = new TaskCompletionSource();
        TensorBufferPool outputs = new();
        link.Agent.OnExecute = (request, _) =>
        {
            answering.SetResult();
            Tensor large = Tensor.FromOwner(TensorElementType.UInt8, new TensorShape(16 << 20), outputs.Rent(16 << 20));
            return ValueTask.FromResult(
                new PartialResult(request.RequestId, request.PartitionId, new Dictionary<string, Tensor> { ["y"] = large }, TimeSpan.Zero, TimeSpan.Zero));
        };
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<PartialResult> call = link.Remote.ExecuteAsync(LocalLink.Request([1]), cancellation.Token).AsTask();
        while (!answering.Task.IsCompleted)
            await AdvanceAsync();

        cancellation.Cancel();

        await Assert.ThatAsync(async () => await call, Throws.InstanceOf<OperationCanceledException>());
        TimeSpan waited = TimeSpan.Zero;
        while (outputs.RentedBuffers > 0)
        {
            await AdvanceAsync();
            waited += TimeSpan.FromMilliseconds(10);
            cancellationToken.ThrowIfCancellationRequested();
        }
        Assert.That(waited, Is.LessThan(TimeSpan.FromSeconds(8)));

        async Task AdvanceAsync()
        {
            time.Advance(TimeSpan.FromMilliseconds(10));
            for (int i = 0; i < 20; i++)
                await Task.Yield();
        }
    }

    [Test]
    public async Task ExecuteAsync_past_its_time_limit_fails_as_deadline_and_stops_the_agent(CancellationToken cancellationToken)
    {
        var time = new FakeTimeProvider();
        await using LocalLink link = await LocalLink.StartAsync(
            options: new RemoteEdgeAgentOptions { TimeProvider = time, RequestTimeout = TimeSpan.FromSeconds(2) });
        var started = new TaskCompletionSource();
        var stopped = new TaskCompletionSource();
        link.Agent.OnExecute = async (_, token) =>
        {
            started.SetResult();
            await Task.Delay(Timeout.Infinite, token).ContinueWith(_ => stopped.SetResult(), TaskScheduler.Default);
            throw new OperationCanceledException(token);
        };
        Task call = link.EchoAsync(10, cancellationToken);
        await started.Task.WaitAsync(cancellationToken);

        time.Advance(TimeSpan.FromSeconds(2));

        EdgeSplitException? exception = await Assert.ThrowsAsync<EdgeSplitException>(() => call);
        Assert.That(exception!.Error, Is.EqualTo(EdgeSplitError.DeadlineExceeded));
        await stopped.Task.WaitAsync(cancellationToken);
        link.Agent.OnExecute = static (request, _) => ValueTask.FromResult(FakeAgent.Echo(request));
        await link.EchoAsync(10, cancellationToken);
    }

    [Test]
    public async Task ExecuteAsync_agent_fails_unexpectedly_tells_nothing_of_its_insides(CancellationToken cancellationToken)
    {
        await using LocalLink link = await LocalLink.StartAsync();
        link.Agent.OnExecute = static (_, _) => throw new InvalidOperationException("/secret/path is on fire");

        EdgeSplitException? exception = await Assert.ThrowsAsync<EdgeSplitException>(() => link.EchoAsync(1, cancellationToken));

        Assert.That(exception!.Error, Is.EqualTo(EdgeSplitError.Internal));
        Assert.That(exception.ToString(), Does.Not.Contain("secret"));
    }

    [Test]
    public async Task ExecuteAsync_after_disposal_throws(CancellationToken cancellationToken)
    {
        await using LocalLink link = await LocalLink.StartAsync();
        await link.Remote.DisposeAsync();

        await Assert.ThatAsync(() => link.EchoAsync(1, cancellationToken), Throws.InstanceOf<ObjectDisposedException>());
    }

    [Test]
    public async Task Server_disposed_ends_the_connections(CancellationToken cancellationToken)
    {
        await using LocalLink link = await LocalLink.StartAsync();

        await link.Server.DisposeAsync();

        await link.Remote.Disconnected.WaitAsync(cancellationToken);
        EdgeSplitException? exception = await Assert.ThrowsAsync<EdgeSplitException>(() => link.EchoAsync(1, cancellationToken));
        Assert.That(exception!.Error, Is.EqualTo(EdgeSplitError.AgentUnavailable));
        Assert.That(exception.Message, Does.Contain("shutting down"));
    }
}
