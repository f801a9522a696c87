using EdgeSplit.Agents;
using EdgeSplit.Testing.Conformance;

namespace EdgeSplit.Transport.Tests.Conformance;

public sealed class TcpConformanceTests : EdgeAgentConformance
{
    protected override ValueTask<IEdgeAgent> CreateAgentAsync(string id, IPartitionRuntime runtime, EdgeAgentOptions options) =>
        ServedAgent.CreateAsync(id, runtime, options, new AgentServerOptions(), new RemoteEdgeAgentOptions());
}
