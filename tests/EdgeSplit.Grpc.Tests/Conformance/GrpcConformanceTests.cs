using EdgeSplit.Agents;
using EdgeSplit.Testing.Conformance;

namespace EdgeSplit.Grpc.Tests.Conformance;

public sealed class GrpcConformanceTests : EdgeAgentConformance
{
    protected override async ValueTask<IEdgeAgent> CreateAgentAsync(string id, IPartitionRuntime runtime, EdgeAgentOptions options) =>
        await ServedAgent.CreateAsync(id, runtime, options);
}
