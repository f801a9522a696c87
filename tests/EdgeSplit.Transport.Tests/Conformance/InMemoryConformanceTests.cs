using EdgeSplit.Agents;
using EdgeSplit.Testing.Conformance;
using EdgeSplit.Transport.Testing;

namespace EdgeSplit.Transport.Tests.Conformance;

public sealed class InMemoryConformanceTests : EdgeAgentConformance
{
    protected override ValueTask<IEdgeAgent> CreateAgentAsync(string id, IPartitionRuntime runtime, EdgeAgentOptions options)
    {
        var transport = new InMemoryTransport();
        return ServedAgent.CreateAsync(
            id, runtime, options, new AgentServerOptions { Transport = transport }, new RemoteEdgeAgentOptions { Transport = transport });
    }
}
