using EdgeSplit.Agents;
using EdgeSplit.Models;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Tensors;
using Google.Protobuf;

namespace EdgeSplit.Onnx.Tests.Runtime;

/// <summary>Makes whole models into partitions and runs them.</summary>
internal static class Partitions
{
    /// <summary>A runtime of one thread, so that tests in parallel do not fight for cores.</summary>
    public static OnnxPartitionRuntime OneThread(GraphOptimization optimization = GraphOptimization.All) =>
        new(new OnnxRuntimeOptions { IntraOpThreads = 1, Optimization = optimization });

    public static ModelPartition Of(ModelProto model) => new()
    {
        Skeleton = model.ToByteArray(),
        Blobs = [],
        Inputs = [],
        Outputs = [],
    };

    public static async Task<IPartitionExecutor> LoadAsync(ModelProto model, GraphOptimization optimization = GraphOptimization.All) =>
        await OneThread(optimization).LoadAsync(Of(model), Path.GetTempPath(), isUrgent: false, CancellationToken.None);

    public static Dictionary<string, Tensor> Inputs(params (string Name, Tensor Tensor)[] inputs) =>
        inputs.ToDictionary(static input => input.Name, static input => input.Tensor);

    public static Tensor Floats(TensorShape shape, params float[] elements) => Tensor.Create<float>(elements, shape);
}
