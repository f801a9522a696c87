using EdgeSplit.Agents;
using EdgeSplit.Testing.Conformance;

namespace EdgeSplit.Grpc.Tests.Conformance;

/// <summary>Over a connection that the agent has made.</summary>
public sealed class TunnelConformanceTests : EdgeAgentConformance
{
    protected override async ValueTask<IEdgeAgent> CreateAgentAsync(string id, IPartitionRuntime runtime, EdgeAgentOptions options) =>
        await ServedAgent.CreateJoinedAsync(id, runtime, options);
}
