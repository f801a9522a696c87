using EdgeSplit.Agents;
using EdgeSplit.Coordination;
using EdgeSplit.Testing.Fakes;
using EdgeSplit.Tests;
using EdgeSplit.Transport;

namespace EdgeSplit.Grpc.Tests;

/// <summary>A model whose layers are dealt out to two agents in turn.</summary>
internal sealed class MixedSystem : IAsyncDisposable
{
    public required TemporaryFolder Folder { get; init; }

    public required EdgeAgent[] Agents { get; init; }

    public required AgentServer TcpServer { get; init; }

    public required GrpcAgentServer GrpcServer { get; init; }

    public required FakePartitionRuntime Runtime { get; init; }

    public required FakeModel Model { get; init; }

    public required Coordinator Coordinator { get; init; }

    public required Deployment Deployment { get; init; }

    public static async Task<MixedSystem> StartAsync()
    {
        var folder = new TemporaryFolder();
        var runtime = new FakePartitionRuntime();
        FakeModel model = FakeModelBuilder.Chain("chain", 4);
        string path = Path.Combine(folder.Path, "chain.json");
        model.Save(path);
        var tcpAgent = new EdgeAgent("tcp", runtime);
        var grpcAgent = new EdgeAgent("grpc", runtime);
        var tcpServer = new AgentServer(tcpAgent);
        await tcpServer.StartAsync();
        var grpcServer = new GrpcAgentServer(grpcAgent);
        await grpcServer.StartAsync();
        var coordinator = new Coordinator(new FakeModelFormat(), new CoordinatorOptions { Partitioner = FixedPartitioner.RoundRobin });
        await coordinator.AddAgentAsync(await RemoteEdgeAgent.ConnectAsync(tcpServer.EndPoint));
        await coordinator.AddAgentAsync(await GrpcEdgeAgent.ConnectAsync(grpcServer.Address));
        return new MixedSystem
        {
            Folder = folder,
            Agents = [tcpAgent, grpcAgent],
            TcpServer = tcpServer,
            GrpcServer = grpcServer,
            Runtime = runtime,
            Model = model,
            Coordinator = coordinator,
            Deployment = await coordinator.DeployAsync(path),
        };
    }

    public async ValueTask DisposeAsync()
    {
        await Coordinator.DisposeAsync();
        await TcpServer.DisposeAsync();
        await GrpcServer.DisposeAsync();
        foreach (EdgeAgent agent in Agents)
            await agent.DisposeAsync();
        Folder.Dispose();
    }
}
