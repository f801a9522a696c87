using EdgeSplit.Agents;
using EdgeSplit.Storage;

namespace EdgeSplit.Transport.Tests.Conformance;

/// <summary>A remote agent together with the server and the agent behind it, which end with it.</summary>
internal sealed class ServedAgent : IEdgeAgent
{
    private readonly EdgeAgent _agent;
    private readonly AgentServer _server;
    private readonly RemoteEdgeAgent _remote;

    private ServedAgent(EdgeAgent agent, AgentServer server, RemoteEdgeAgent remote)
    {
        _agent = agent;
        _server = server;
        _remote = remote;
    }

    public string Id => _remote.Id;

    public static async ValueTask<IEdgeAgent> CreateAsync(
        string id, IPartitionRuntime runtime, EdgeAgentOptions agentOptions, AgentServerOptions serverOptions, RemoteEdgeAgentOptions options)
    {
        var agent = new EdgeAgent(id, runtime, agentOptions);
        var server = new AgentServer(agent, serverOptions);
        await server.StartAsync();
        return new ServedAgent(agent, server, await RemoteEdgeAgent.ConnectAsync(server.EndPoint, options, default));
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
        await _server.DisposeAsync();
        await _agent.DisposeAsync();
    }
}
