using EdgeSplit.Agents;
using EdgeSplit.Testing.Conformance;
using EdgeSplit.Transport.Testing;

namespace EdgeSplit.Transport.Tests.Conformance;

/// <summary>Both sides receive a prime number of bytes at a time, so that frames are split at ever other places.</summary>
public sealed class SplitFramesConformanceTests : EdgeAgentConformance
{
    protected override ValueTask<IEdgeAgent> CreateAgentAsync(string id, IPartitionRuntime runtime, EdgeAgentOptions options)
    {
        var transport = new FaultInjectingTransport(new InMemoryTransport(), new ConnectionFaults { MaxReceiveBytes = 997 });
        return ServedAgent.CreateAsync(
            id, runtime, options, new AgentServerOptions { Transport = transport }, new RemoteEdgeAgentOptions { Transport = transport });
    }
}
