using System.Net;
using EdgeSplit.Agents;
using EdgeSplit.Transport.Security;
using EdgeSplit.Transport.Testing;
using Microsoft.Extensions.Time.Testing;

namespace EdgeSplit.Transport.Tests;

/// <summary>Agents that connect to a coordinator, and connections that are made anew.</summary>
[CancelAfter(30_000)]
public sealed class JoiningTests
{
    private readonly InMemoryTransport _memory = new();
    private readonly FakeTimeProvider _time = new();

    [Test]
    public async Task RunAsync_agent_that_joins_serves_like_one_that_listens(CancellationToken cancellationToken)
    {
        await using AgentListener listener = await ListenAsync(cancellationToken);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task dialing = Dial(listener.EndPoint, stopping.Token);
        await using RemoteEdgeAgent agent = await listener.AcceptAsync(cancellationToken);

        byte[] bytes = new byte[100_000];
        new Random(1).NextBytes(bytes);
        using Agents.PartialResult result = await agent.ExecuteAsync(LocalLink.Request(bytes), cancellationToken);

        Assert.That(agent.Id, Is.EqualTo("a"));
        Assert.That(result.Outputs["x"].Bytes.Span.SequenceEqual(bytes));
        await StopAsync(stopping, dialing);
        await agent.Disconnected.WaitAsync(cancellationToken);
    }

    [Test]
    public async Task RunAsync_agent_comes_back_after_its_connection_was_lost(CancellationToken cancellationToken)
    {
        await using AgentListener listener = await ListenAsync(cancellationToken);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task dialing = Dial(listener.EndPoint, stopping.Token);

        for (int i = 0; i < 3; i++)
        {
            RemoteEdgeAgent agent = await AdvanceUntilAsync(listener.AcceptAsync(cancellationToken).AsTask());
            Assert.That(agent.Id, Is.EqualTo("a"));
            await agent.DisposeAsync();
        }
        await StopAsync(stopping, dialing);
    }

    [Test]
    public async Task RunAsync_coordinator_that_is_not_there_yet_is_waited_for(CancellationToken cancellationToken)
    {
        var endPoint = new IPEndPoint(IPAddress.Loopback, 7311);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var progress = new ProgressLog();
        Task dialing = Dial(endPoint, stopping.Token, new AgentDialerOptions { Progress = progress });
        while (progress.Reports.Count < 8)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        TimeSpan[] waits = [.. progress.Reports.Take(8).Select(static report => report.NextTry)];
        for (int i = 0; i < waits.Length; i++)
        {
            double longest = Math.Min(0.5 * Math.Pow(2, i), 30);
            Assert.That(waits[i].TotalSeconds, Is.InRange(longest / 2, longest));
        }
        await using AgentListener listener = await ListenAsync(cancellationToken, new AgentListenerOptions { EndPoint = endPoint });
        await (await AdvanceUntilAsync(listener.AcceptAsync(cancellationToken).AsTask())).DisposeAsync();
        await StopAsync(stopping, dialing);
    }

    [Test]
    public async Task RunAsync_second_agent_of_an_id_that_answers_is_turned_away(CancellationToken cancellationToken)
    {
        await using AgentListener listener = await ListenAsync(cancellationToken);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task dialing = Dial(listener.EndPoint, stopping.Token);
        await using RemoteEdgeAgent first = await listener.AcceptAsync(cancellationToken);

        EdgeSplitException? exception = await Assert.ThrowsAsync<EdgeSplitException>(() => Dial(listener.EndPoint, cancellationToken));

        Assert.That(exception!.Error, Is.EqualTo(EdgeSplitError.InvalidArgument));
        Assert.That(exception.Message, Does.Contain("'a' is connected"));
        Assert.That(first.Disconnected.IsCompleted, Is.False);
        await StopAsync(stopping, dialing);
    }

    [Test]
    public async Task RunAsync_agent_of_the_id_of_one_that_hangs_takes_its_place(CancellationToken cancellationToken)
    {
        await using AgentListener listener = await ListenAsync(cancellationToken);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var hanging = new FakeAgent("a") { OnReport = static async token => { await Task.Delay(Timeout.Infinite, token); return null!; } };
        Task old = Dial(listener.EndPoint, stopping.Token, agent: hanging);
        await using RemoteEdgeAgent first = await listener.AcceptAsync(cancellationToken);
        Task again = Dial(listener.EndPoint, stopping.Token);

        await using RemoteEdgeAgent second = await AdvanceUntilAsync(listener.AcceptAsync(cancellationToken).AsTask());

        await AdvanceUntilAsync(first.Disconnected);
        Assert.That(second.Id, Is.EqualTo("a"));
        Assert.That((await second.ReportAsync(cancellationToken)).AgentId, Is.EqualTo("a"));
        await StopAsync(stopping, old);
        await StopAsync(stopping, again);
    }

    [Test]
    public async Task RunAsync_wrong_token_is_denied(CancellationToken cancellationToken)
    {
        await using AgentListener listener = await ListenAsync(cancellationToken, new AgentListenerOptions { JoinToken = new JoinToken(JoinToken.Create()) });

        EdgeSplitException? exception = await Assert.ThrowsAsync<EdgeSplitException>(
            () => Dial(listener.EndPoint, cancellationToken, new AgentDialerOptions { JoinToken = new JoinToken(JoinToken.Create()) }));

        Assert.That(exception!.Error, Is.EqualTo(EdgeSplitError.AccessDenied));
    }

    [Test]
    public async Task RunAsync_to_another_agent_says_so(CancellationToken cancellationToken)
    {
        await using var server = new AgentServer(new FakeAgent("b"), new AgentServerOptions { Transport = _memory });
        await server.StartAsync(cancellationToken);

        EdgeSplitException? exception = await Assert.ThrowsAsync<EdgeSplitException>(() => Dial(server.EndPoint, cancellationToken));

        Assert.That(exception!.Message, Does.Contain("Both sides are agents"));
    }

    [Test]
    public async Task ConnectAsync_to_a_coordinator_says_so(CancellationToken cancellationToken)
    {
        await using AgentListener listener = await ListenAsync(cancellationToken);

        EdgeSplitException? exception = await Assert.ThrowsAsync<EdgeSplitException>(
            async () => await RemoteEdgeAgent.ConnectAsync(listener.EndPoint, new RemoteEdgeAgentOptions { Transport = _memory }, cancellationToken));

        Assert.That(exception!.Message, Does.Contain("Both sides are coordinators"));
    }

    [Test]
    public void AgentListener_open_address_without_guard_is_denied() => Assert.That(
        () => new AgentListener(new AgentListenerOptions { EndPoint = HostAndPort.Parse("*:0") }),
        Throws.InstanceOf<EdgeSplitException>().With.Property("Error").EqualTo(EdgeSplitError.AccessDenied));

    [Test]
    public async Task KeepConnectedAsync_agent_that_restarts_is_given_anew(CancellationToken cancellationToken)
    {
        var endPoint = new IPEndPoint(IPAddress.Loopback, 7311);
        var options = new RemoteEdgeAgentOptions { Transport = _memory, TimeProvider = _time };
        await using IAsyncEnumerator<RemoteEdgeAgent> agents =
            RemoteEdgeAgent.KeepConnectedAsync(endPoint, options, cancellationToken).GetAsyncEnumerator(cancellationToken);
        for (int i = 0; i < 3; i++)
        {
            Task<bool> next = agents.MoveNextAsync().AsTask();
            await using var server = new AgentServer(new FakeAgent("a"), new AgentServerOptions { EndPoint = endPoint, Transport = _memory, TimeProvider = _time });
            await server.StartAsync(cancellationToken);
            Assert.That(await AdvanceUntilAsync(next));
            Assert.That(agents.Current.Id, Is.EqualTo("a"));
        }
    }

    private async Task<AgentListener> ListenAsync(CancellationToken cancellationToken, AgentListenerOptions? options = null)
    {
        options ??= new AgentListenerOptions();
        if (options.Transport is Duplex.TcpTransport)
            options = options with { Transport = _memory };
        var listener = new AgentListener(options with { TimeProvider = _time });
        await listener.StartAsync(cancellationToken);
        return listener;
    }

    private Task Dial(EndPoint endPoint, CancellationToken cancellationToken, AgentDialerOptions? options = null, FakeAgent? agent = null)
    {
        options ??= new AgentDialerOptions();
        if (options.Transport is Duplex.TcpTransport)
            options = options with { Transport = _memory };
        return new AgentDialer(agent ?? new FakeAgent("a"), endPoint, options with { TimeProvider = _time }).RunAsync(cancellationToken);
    }

    private async Task<T> AdvanceUntilAsync<T>(Task<T> task)
    {
        await AdvanceUntilAsync((Task)task);
        return await task;
    }

    /// <summary>Lets time pass until something has happened.</summary>
    private async Task AdvanceUntilAsync(Task task)
    {
        while (!task.IsCompleted)
        {
            _time.Advance(TimeSpan.FromSeconds(0.5));
            await Task.Delay(1);
        }
        await task;
    }

    private static async Task StopAsync(CancellationTokenSource stopping, Task dialing)
    {
        await stopping.CancelAsync();
        Assert.That(async () => await dialing, Throws.InstanceOf<OperationCanceledException>());
    }

    private sealed class ProgressLog : IProgress<DialProgress>
    {
        private readonly Lock _gate = new();
        private readonly List<DialProgress> _reports = [];

        public List<DialProgress> Reports
        {
            get
            {
                lock (_gate)
                    return [.. _reports];
            }
        }

        public void Report(DialProgress value)
        {
            lock (_gate)
                _reports.Add(value);
        }
    }
}
