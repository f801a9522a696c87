using EdgeSplit.Agents;
using EdgeSplit.Grpc.Tests.Conformance;
using EdgeSplit.Tensors;
using EdgeSplit.Testing.Fakes;

namespace EdgeSplit.Grpc.Tests;

/// <summary>What is far above the message limits that gRPC comes with, under default options.</summary>
[NonParallelizable]
internal sealed class LargeTests
{
    [Test]
    public async Task Execute_withATensorOf300Megabytes_passes()
    {
        const int Bytes = 300_000_000;
        await using ServedAgent agent = await ServedAgent.CreateAsync("a", new FakePartitionRuntime(), new EdgeAgentOptions());
        FakeModel model = new FakeModelBuilder("m").Input("x", TensorElementType.UInt8, Bytes).Copy("copy", "x", "y").Output("y").Build();
        await agent.LoadAsync(new ModelPartitionRequest("m", model.Whole), model, default);
        using Tensor input = Tensor.Allocate(TensorElementType.UInt8, new TensorShape(Bytes), out Memory<byte> content, new TensorBufferPool(0));
        new Random(1).NextBytes(content.Span);
        using PartialResult result = await agent.ExecuteAsync(
            new InferenceRequest(Guid.NewGuid(), model.Whole.Id, new Dictionary<string, Tensor> { ["x"] = input }), default);
        Assert.That(result.Outputs["y"].Bytes.Span.SequenceEqual(content.Span));
    }
}
