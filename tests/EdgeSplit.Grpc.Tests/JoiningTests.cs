using EdgeSplit.Agents;
using EdgeSplit.Testing.Conformance;
using EdgeSplit.Testing.Fakes;

namespace EdgeSplit.Grpc.Tests;

/// <summary>Agents that call a coordinator.</summary>
internal sealed class JoiningTests
{
    private const string Token = "a token of more than enough letters";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Test]
    public async Task Join_againAfterTheCoordinatorWasGone_hasUnloadedAndIsGivenAnew()
    {
        var runtime = new FakePartitionRuntime();
        await using var agent = new EdgeAgent("a", runtime);
        using var stopping = new CancellationTokenSource();
        FakeModel model = FakeModelBuilder.Chain("m", 1);
        JoiningHost first = await JoiningHost.StartAsync();
        int port = new Uri(first.Address).Port;
        Task dialling = new GrpcAgentDialer(agent, first.Address, new GrpcAgentDialerOptions { RetryDelay = TimeSpan.FromMilliseconds(10), MaxRetryDelay = TimeSpan.FromMilliseconds(20) }).RunAsync(stopping.Token);
        GrpcEdgeAgent joined = await first.Listener.AcceptAsync().AsTask().WaitAsync(Limit);
        await joined.LoadAsync(new ModelPartitionRequest("m", model.Whole), model, default);
        await first.DisposeAsync();
        await joined.Disconnected.WaitAsync(Limit);
        await joined.DisposeAsync();

        await using JoiningHost second = await JoiningHost.StartAsync(port: port);
        await using (GrpcEdgeAgent again = await second.Listener.AcceptAsync().AsTask().WaitAsync(Limit))
        {
            Assert.That(again.Id, Is.EqualTo("a"));
            Assert.That((await again.ReportAsync(default)).LoadedPartitions, Is.Zero);
        }
        await stopping.CancelAsync();
        await Assert.CatchAsync<OperationCanceledException>(() => dialling.WaitAsync(Limit));
        Assert.That(runtime.LiveExecutors, Is.Zero);
    }

    [Test]
    public async Task Join_withAnIdThatIsTaken_isRefused()
    {
        await using JoiningHost host = await JoiningHost.StartAsync();
        using var stopping = new CancellationTokenSource();
        await using var agent = new EdgeAgent("a", new FakePartitionRuntime());
        Task dialling = new GrpcAgentDialer(agent, host.Address).RunAsync(stopping.Token);
        await using GrpcEdgeAgent joined = await host.Listener.AcceptAsync().AsTask().WaitAsync(Limit);
        await using var other = new EdgeAgent("a", new FakePartitionRuntime());
        EdgeSplitException exception = await ErrorAssert.FailsWithAsync(
            EdgeSplitError.InvalidArgument, () => new GrpcAgentDialer(other, host.Address).RunAsync(stopping.Token).WaitAsync(Limit));
        Assert.That(exception.Message, Does.Contain("id of its own"));
        await stopping.CancelAsync();
        await Assert.CatchAsync<OperationCanceledException>(() => dialling.WaitAsync(Limit));
    }

    [Test]
    public async Task Join_withoutTheToken_isDenied()
    {
        await using JoiningHost host = await JoiningHost.StartAsync(new GrpcServiceOptions { Token = Token });
        await using var agent = new EdgeAgent("a", new FakePartitionRuntime());
        await ErrorAssert.FailsWithAsync(EdgeSplitError.AccessDenied, () => new GrpcAgentDialer(agent, host.Address).RunAsync(default).WaitAsync(Limit));
        using var stopping = new CancellationTokenSource();
        Task dialling = new GrpcAgentDialer(agent, host.Address, new GrpcAgentDialerOptions { Token = Token }).RunAsync(stopping.Token);
        await using GrpcEdgeAgent joined = await host.Listener.AcceptAsync().AsTask().WaitAsync(Limit);
        await stopping.CancelAsync();
        await Assert.CatchAsync<OperationCanceledException>(() => dialling.WaitAsync(Limit));
        await joined.Disconnected.WaitAsync(Limit);
    }

    [Test]
    public async Task Join_aServerThatTakesNoAgents_saysSo()
    {
        await using var agent = new EdgeAgent("a", new FakePartitionRuntime());
        await using var server = new GrpcAgentServer(agent);
        await server.StartAsync();
        await ErrorAssert.FailsWithAsync(EdgeSplitError.ProtocolViolation, () => new GrpcAgentDialer(agent, server.Address).RunAsync(default).WaitAsync(Limit));
    }
}
