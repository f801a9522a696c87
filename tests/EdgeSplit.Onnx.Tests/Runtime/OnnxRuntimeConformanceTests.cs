using EdgeSplit.Agents;
using EdgeSplit.Models;
using EdgeSplit.ModelZoo;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Tensors;
using EdgeSplit.Testing.Conformance;
using EdgeSplit.Tests;

namespace EdgeSplit.Onnx.Tests.Runtime;

public sealed class OnnxRuntimeConformanceTests : PartitionRuntimeConformance
{
    private readonly TemporaryFolder _folder = new();

    [TearDown]
    public void DeleteModel() => _folder.Dispose();

    // Without optimisations, layer by layer and the whole agree bit for bit.
    protected override IPartitionRuntime CreateRuntime() => Partitions.OneThread(GraphOptimization.Off);

    protected override async ValueTask<ISplittableModel> OpenModelAsync()
    {
        string path = _folder["bert-tiny.onnx"];
        Zoo.Get("bert-tiny").Write(path);
        return await new OnnxModelFormat().OpenAsync(path, CancellationToken.None);
    }

    protected override IReadOnlyDictionary<string, Tensor> CreateInputs(int seed) => Zoo.Get("bert-tiny").CreateInputs(seed);
}
