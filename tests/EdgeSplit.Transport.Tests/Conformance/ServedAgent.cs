using EdgeSplit.Agents;
using EdgeSplit.Storage;

namespace EdgeSplit.Transport.Tests.Conformance;

/// <summary>A remote agent together with the agent behind it and what connects the two, which end with it.</summary>
internal sealed class ServedAgent : IEdgeAgent
{
    private readonly EdgeAgent _agent;
    private readonly Func<Task> _disconnect;
    private readonly RemoteEdgeAgent _remote;

    private ServedAgent(EdgeAgent agent, RemoteEdgeAgent remote, Func<Task> disconnect)
    {
        _agent = agent;
        _disconnect = disconnect;
        _remote = remote;
    }

    public string Id => _remote.Id;

    public static async ValueTask<IEdgeAgent> CreateAsync(
        string id, IPartitionRuntime runtime, EdgeAgentOptions agentOptions, AgentServerOptions serverOptions, RemoteEdgeAgentOptions options)
    {
        var agent = new EdgeAgent(id, runtime, agentOptions);
        var server = new AgentServer(agent, serverOptions);
        await server.StartAsync();
        return new ServedAgent(agent, await RemoteEdgeAgent.ConnectAsync(server.EndPoint, options, default), () => server.DisposeAsync().AsTask());
    }

    /// <summary>The other way round: the agent connects.</summary>
    public static async ValueTask<IEdgeAgent> CreateJoinedAsync(
        string id, IPartitionRuntime runtime, EdgeAgentOptions agentOptions, AgentListenerOptions listenerOptions, AgentDialerOptions options)
    {
        var agent = new EdgeAgent(id, runtime, agentOptions);
        var listener = new AgentListener(listenerOptions);
        await listener.StartAsync();
        var stopping = new CancellationTokenSource();
        Task dialing = new AgentDialer(agent, listener.EndPoint, options).RunAsync(stopping.Token);
        return new ServedAgent(agent, await listener.AcceptAsync(), async () =>
        {
            await stopping.CancelAsync();
            await dialing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await listener.DisposeAsync();
        });
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
        await _disconnect();
        await _agent.DisposeAsync();
    }
}
