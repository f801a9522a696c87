using System.Diagnostics;
using EdgeSplit.Agents;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Tensors;
using static EdgeSplit.Onnx.Tests.Runtime.Partitions;
using static EdgeSplit.Onnx.Tests.Runtime.Proto;

namespace EdgeSplit.Onnx.Tests.Runtime;

public sealed class WarmUpTests
{
    [Test]
    public async Task Load_first_random_numbers_are_those_of_a_partition_that_was_not_run_before()
    {
        NodeProto random = Node("RandomUniformLike", ["x"], ["y"]);
        random.Attribute.Add(new AttributeProto { Name = "seed", Type = AttributeProto.Types.AttributeType.Float, F = 7 });
        ModelProto model = Model([random], [Value("x", TensorElementType.Float, "4")], [Value("y", TensorElementType.Float, "4")]);
        Assert.That(await FirstRunAsync(model, warmsUp: true), Is.EqualTo(await FirstRunAsync(model, warmsUp: false)));
    }

    [Test]
    public async Task Load_partition_that_zeros_are_nothing_for_is_loaded_all_the_same()
    {
        // A reshape to the sizes [0, 0, 0, 0] of one dimension more than there are.
        ModelProto model = Model(
            [Node("Reshape", ["x", "sizes"], ["y"])],
            [Value("x", TensorElementType.Float, "4"), Value("sizes", TensorElementType.Int64, "3")],
            [Value("y", TensorElementType.Float, "", "", "")]);
        using IPartitionExecutor executor = await LoadAsync(model);
        IReadOnlyDictionary<string, Tensor> outputs = executor.Execute(
            Inputs(("x", Floats(new TensorShape(4), 1, 2, 3, 4)), ("sizes", Tensor.Create<long>([2, 1, 2], new TensorShape(3)))), CancellationToken.None);
        Assert.That(outputs["y"].Shape, Is.EqualTo(new TensorShape(2, 1, 2)));
        outputs["y"].Dispose();
    }

    [Test]
    public async Task Load_loop_that_zeros_never_end_ends()
    {
        // while (x == 0) x = x: whoever gives it anything else gets an answer.
        GraphProto body = Model(
            [Node("Identity", ["x_in"], ["x_out"]), Node("Cast", ["x_in"], ["is_set"], Int("to", (long)TensorElementType.Bool)), Node("Not", ["is_set"], ["going_out"])],
            [Value("turn", TensorElementType.Int64), Value("going_in", TensorElementType.Bool), Value("x_in", TensorElementType.Float)],
            [Value("going_out", TensorElementType.Bool), Value("x_out", TensorElementType.Float)]).Graph;
        ModelProto model = Model(
            [Node("Cast", ["x"], ["set"], Int("to", (long)TensorElementType.Bool)), Node("Not", ["set"], ["going"]), Node("Loop", ["", "going", "x"], ["y"], Body("body", body))],
            [Value("x", TensorElementType.Float)], [Value("y", TensorElementType.Float)]);
        long started = Stopwatch.GetTimestamp();
        using IPartitionExecutor executor = await LoadAsync(model);
        Assert.That(Stopwatch.GetElapsedTime(started), Is.LessThan(TimeSpan.FromSeconds(30)));
    }

    private static async Task<float[]> FirstRunAsync(ModelProto model, bool warmsUp)
    {
        var runtime = new OnnxPartitionRuntime(new OnnxRuntimeOptions { IntraOpThreads = 1, WarmsUp = warmsUp });
        using IPartitionExecutor executor = await runtime.LoadAsync(Of(model), Path.GetTempPath(), isUrgent: false, CancellationToken.None);
        IReadOnlyDictionary<string, Tensor> outputs = executor.Execute(Inputs(("x", Floats(new TensorShape(4), 0, 0, 0, 0))), CancellationToken.None);
        using Tensor y = outputs["y"];
        return [.. y.AsSpan<float>()];
    }
}
