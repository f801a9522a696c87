using EdgeSplit.Agents;
using EdgeSplit.Storage;

namespace EdgeSplit.Grpc.Tests.Conformance;

/// <summary>An agent reached over gRPC together with the agent behind it and its server, which end with it.</summary>
internal sealed class ServedAgent : IEdgeAgent
{
    private readonly EdgeAgent _agent;
    private readonly Func<ValueTask> _stop;
    private readonly GrpcEdgeAgent _remote;

    private ServedAgent(EdgeAgent agent, Func<ValueTask> stop, GrpcEdgeAgent remote)
    {
        _agent = agent;
        _stop = stop;
        _remote = remote;
    }

    public string Id => _remote.Id;

    public GrpcEdgeAgent Remote => _remote;

    public static async ValueTask<ServedAgent> CreateAsync(
        string id, IPartitionRuntime runtime, EdgeAgentOptions agentOptions, GrpcAgentServerOptions? serverOptions = null, GrpcConnectOptions? options = null)
    {
        var agent = new EdgeAgent(id, runtime, agentOptions);
        var server = new GrpcAgentServer(agent, serverOptions);
        await server.StartAsync();
        return new ServedAgent(agent, server.DisposeAsync, await GrpcEdgeAgent.ConnectAsync(server.Address, options));
    }

    /// <summary>One that has joined.</summary>
    public static async ValueTask<ServedAgent> CreateJoinedAsync(string id, IPartitionRuntime runtime, EdgeAgentOptions agentOptions)
    {
        var agent = new EdgeAgent(id, runtime, agentOptions);
        JoiningHost host = await JoiningHost.StartAsync();
        var stopping = new CancellationTokenSource();
        Task dialling = new GrpcAgentDialer(agent, host.Address).RunAsync(stopping.Token);
        return new ServedAgent(agent, StopAsync, await host.Listener.AcceptAsync());

        async ValueTask StopAsync()
        {
            await stopping.CancelAsync();
            await dialling.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await host.DisposeAsync();
        }
    }

    public ValueTask<AgentDescription> DescribeAsync(CancellationToken cancellationToken) => _remote.DescribeAsync(cancellationToken);

    public ValueTask<ResourceReport> ReportAsync(CancellationToken cancellationToken) => _remote.ReportAsync(cancellationToken);

    public ValueTask<PartitionLoaded> LoadAsync(ModelPartitionRequest request, IBlobSource blobs, CancellationToken cancellationToken) =>
        _remote.LoadAsync(request, blobs, cancellationToken);

    public ValueTask<PartialResult> ExecuteAsync(InferenceRequest request, CancellationToken cancellationToken) =>
        _remote.ExecuteAsync(request, cancellationToken);

    public ValueTask UnloadAsync(string partitionId, CancellationToken cancellationToken) => _remote.UnloadAsync(partitionId, cancellationToken);

    public ValueTask<TimeSpan> ProbeAsync(int payloadByteCount, CancellationToken cancellationToken) =>
        _remote.ProbeAsync(payloadByteCount, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _remote.DisposeAsync();
        await _stop();
        await _agent.DisposeAsync();
    }
}
