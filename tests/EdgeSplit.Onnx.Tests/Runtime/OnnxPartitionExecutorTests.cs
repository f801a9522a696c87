using System.Runtime.InteropServices;
using CsCheck;
using EdgeSplit.Agents;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Tensors;
using static EdgeSplit.Onnx.Tests.Runtime.Partitions;
using static EdgeSplit.Onnx.Tests.Runtime.Proto;

namespace EdgeSplit.Onnx.Tests.Runtime;

public sealed class OnnxPartitionExecutorTests
{
    private static readonly TensorElementType[] ByteTypes =
        [.. Enum.GetValues<TensorElementType>().Where(static type => type.BitsPerElement() > 0)];

    /// <summary>Every type that ONNX Runtime's processor kernels pass through an Identity.</summary>
    [Test]
    public async Task Execute_bytes_of_any_element_type_come_back_unchanged([ValueSource(nameof(ByteTypes))] TensorElementType type)
    {
        // Complex numbers exist in the format only: no provider has kernels for them.
        ModelProto model = Model([Node("Identity", ["x"], ["y"])], [Value("x", type, "n")], [Value("y", type, "n")]);
        model.OpsetImport[0].Version = 25;
        IPartitionExecutor? loaded = null;
        try
        {
            loaded = await LoadAsync(model);
        }
        catch (EdgeSplitException exception)
        {
            Assert.That(exception.Error, Is.AnyOf(EdgeSplitError.UnsupportedModel, EdgeSplitError.InvalidModel));
            Assert.That(type, Is.AnyOf(
                TensorElementType.Complex64, TensorElementType.Complex128, TensorElementType.Float4E2M1, TensorElementType.Float8E8M0,
                TensorElementType.UInt2, TensorElementType.Int2, TensorElementType.UInt4, TensorElementType.Int4), exception.Message);
            return;
        }
        using IPartitionExecutor executor = loaded;
        byte[] bytes = new byte[type.ByteCount(7)];
        new Random(1).NextBytes(bytes);
        if (type is TensorElementType.Bool)
            bytes.AsSpan().Clear();
        if (type.BitsPerElement() < 8)
            bytes[^1] &= (byte)((1 << (7 * type.BitsPerElement() % 8)) - 1);

        using Tensor input = Tensor.Wrap(type, new TensorShape(7), bytes);
        using Tensor output = executor.Execute(Inputs(("x", input)), CancellationToken.None)["y"];

        Assert.That(output.ElementType, Is.EqualTo(type));
        Assert.That(output.Bytes.ToArray(), Is.EqualTo(bytes));
    }

    [Test]
    public async Task Execute_strings_come_back_unchanged()
    {
        ModelProto model = Model([Node("Identity", ["x"], ["y"])], [Value("x", TensorElementType.String, "2", "2")], [Value("y", TensorElementType.String, "2", "2")]);
        using IPartitionExecutor executor = await LoadAsync(model);
        string[] texts = ["", "a\0b", "größer", "日本語 🙂"];

        using Tensor input = Tensor.FromStrings(texts, new TensorShape(2, 2));
        using Tensor output = executor.Execute(Inputs(("x", input)), CancellationToken.None)["y"];

        Assert.That(output.Strings, Is.EqualTo(texts));
        Assert.That(output.Shape, Is.EqualTo(new TensorShape(2, 2)));
    }

    [Test]
    public async Task Execute_input_that_is_also_an_output_outlives_the_input()
    {
        ModelProto model = Model([Node("Relu", ["x"], ["y"])], [Value("x", TensorElementType.Float, "2")], [Value("x", TensorElementType.Float, "2"), Value("y", TensorElementType.Float, "2")]);
        using IPartitionExecutor executor = await LoadAsync(model);
        float[] elements = [1, -2];
        Tensor input = Tensor.Wrap(TensorElementType.Float, new TensorShape(2), new ReadOnlyMemory<byte>(MemoryMarshal.AsBytes<float>(elements).ToArray()));

        IReadOnlyDictionary<string, Tensor> outputs = executor.Execute(Inputs(("x", input)), CancellationToken.None);

        Assert.That(MemoryMarshal.TryGetArray(input.Bytes, out ArraySegment<byte> lent), Is.True);
        lent.AsSpan().Clear();
        Assert.That(outputs["x"].AsSpan<float>().ToArray(), Is.EqualTo(elements));
        Assert.That(outputs["y"].AsSpan<float>().ToArray(), Is.EqualTo(new float[] { 1, 0 }));
    }

    [Test]
    public async Task Execute_output_outlives_the_executor()
    {
        IPartitionExecutor executor = await LoadAsync(Doubling());
        using Tensor output = executor.Execute(Inputs(("x", Floats(new TensorShape(3), 1, 2, 3))), CancellationToken.None)["y"];

        executor.Dispose();

        Assert.That(output.AsSpan<float>().ToArray(), Is.EqualTo(new float[] { 2, 4, 6 }));
        Assert.That(() => executor.Execute(Inputs(("x", Floats(new TensorShape(1), 1))), CancellationToken.None), Throws.InstanceOf<ObjectDisposedException>());
    }

    [Test]
    public async Task Execute_result_disposed_of_twice_is_released_once()
    {
        using IPartitionExecutor executor = await LoadAsync(Doubling());
        Tensor output = executor.Execute(Inputs(("x", Floats(new TensorShape(1), 1))), CancellationToken.None)["y"];

        output.Dispose();
        output.Dispose();

        Assert.That(() => output.Bytes, Throws.InstanceOf<ObjectDisposedException>());
    }

    [Test]
    public async Task Execute_elements_pass_without_a_copy()
    {
        using IPartitionExecutor executor = await LoadAsync(Doubling());
        using Tensor input = Tensor.Allocate(TensorElementType.Float, new TensorShape(1 << 20), out Memory<byte> content);
        content.Span.Clear();
        Dictionary<string, Tensor> inputs = Inputs(("x", input));
        executor.Execute(inputs, CancellationToken.None)["y"].Dispose();

        long before = GC.GetAllocatedBytesForCurrentThread();
        executor.Execute(inputs, CancellationToken.None)["y"].Dispose();
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.That(allocated, Is.LessThan(2048), "4 MiB passed in and out");
    }

    [Test]
    public async Task Execute_tensor_without_elements_works()
    {
        using IPartitionExecutor executor = await LoadAsync(Doubling());

        using Tensor output = executor.Execute(Inputs(("x", Floats(new TensorShape(0)))), CancellationToken.None)["y"];

        Assert.That(output.Shape, Is.EqualTo(new TensorShape(0)));
        Assert.That(output.Bytes.Length, Is.Zero);
    }

    [Test]
    public async Task Execute_overridable_initializer_may_be_given_or_not()
    {
        ModelProto model = Model(
            [Node("Add", ["x", "b"], ["y"])],
            [Value("x", TensorElementType.Float, "2"), Value("b", TensorElementType.Float, "2")],
            [Value("y", TensorElementType.Float, "2")],
            Weight<float>("b", TensorElementType.Float, [2], 10, 20));
        using IPartitionExecutor executor = await LoadAsync(model);
        (string, Tensor) x = ("x", Floats(new TensorShape(2), 1, 2));

        using Tensor standing = executor.Execute(Inputs(x), CancellationToken.None)["y"];
        using Tensor given = executor.Execute(Inputs(x, ("b", Floats(new TensorShape(2), 5, 5))), CancellationToken.None)["y"];

        Assert.That(standing.AsSpan<float>().ToArray(), Is.EqualTo(new float[] { 11, 22 }));
        Assert.That(given.AsSpan<float>().ToArray(), Is.EqualTo(new float[] { 6, 7 }));
    }

    [Test]
    public async Task Execute_wrong_input_says_which_and_how()
    {
        ModelProto model = Model(
            [Node("MatMul", ["a", "b"], ["y"])],
            [Value("a", TensorElementType.Float, "n", "4"), Value("b", TensorElementType.Float, "4", "n")],
            [Value("y", TensorElementType.Float, "n", "n")]);
        using IPartitionExecutor executor = await LoadAsync(model);
        Tensor good = Floats(new TensorShape(2, 4), new float[8]), fitting = Floats(new TensorShape(4, 2), new float[8]);

        Assert.Multiple(() =>
        {
            Assert.That(Message(("a", good)), Does.Contain("'b'").And.Contain("not given").And.Contain("Float [4, n]"));
            Assert.That(Message(("a", good), ("b", fitting), ("c", good)), Does.Contain("no input 'c'").And.Contain("'a', 'b'"));
            Assert.That(Message(("a", Tensor.Create<int>(new int[8], new TensorShape(2, 4))), ("b", fitting)), Does.Contain("'a'").And.Contain("Float").And.Contain("Int32 [2, 4]"));
            Assert.That(Message(("a", Floats(new TensorShape(8), new float[8])), ("b", fitting)), Does.Contain("2 dimensions").And.Contain("Float [8]"));
            Assert.That(Message(("a", Floats(new TensorShape(4, 2), new float[8])), ("b", fitting)), Does.Contain("dimension 1 is 2, not 4"));
            Assert.That(Message(("a", good), ("b", Floats(new TensorShape(4, 3), new float[12]))), Does.Contain("'n'").And.Contain("2 in the input 'a'").And.Contain("3 in 'b'"));
        });

        string Message(params (string, Tensor)[] inputs)
        {
            EdgeSplitException exception = Assert.Throws<EdgeSplitException>(() => executor.Execute(Inputs(inputs), CancellationToken.None))!;
            Assert.That(exception.Error, Is.EqualTo(EdgeSplitError.InvalidInput));
            return exception.Message;
        }
    }

    [Test]
    public async Task Execute_failure_inside_the_model_is_an_execution_failure()
    {
        ModelProto model = Model(
            [Node("Gather", ["x", "i"], ["y"])],
            [Value("x", TensorElementType.Float, "3"), Value("i", TensorElementType.Int64, "1")],
            [Value("y", TensorElementType.Float, "1")]);
        using IPartitionExecutor executor = await LoadAsync(model);

        EdgeSplitException exception = Assert.Throws<EdgeSplitException>(
            () => executor.Execute(Inputs(("x", Floats(new TensorShape(3), 1, 2, 3)), ("i", Tensor.Create<long>([99], new TensorShape(1)))), CancellationToken.None))!;

        Assert.That(exception.Error, Is.EqualTo(EdgeSplitError.ExecutionFailed));
        Assert.That(exception.Message, Does.Contain("99"));
    }

    [Test]
    public async Task Execute_cancelled_while_running_stops()
    {
        using IPartitionExecutor executor = await LoadAsync(EndlessLoop());
        using var cancellation = new CancellationTokenSource();
        Task run = Task.Run(() => executor.Execute(Inputs(("x", Floats(new TensorShape(1), 1))), cancellation.Token));

        Assert.That(run.IsCompleted, Is.False);
        cancellation.Cancel();

        await Assert.CatchAsync<OperationCanceledException>(() => run);
    }

    [Test]
    public async Task Execute_many_threads_get_their_own_results()
    {
        using IPartitionExecutor executor = await LoadAsync(Doubling());

        Parallel.For(0, 500, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i =>
        {
            using Tensor input = Floats(new TensorShape(2), i, -i);
            using Tensor output = executor.Execute(Inputs(("x", input)), CancellationToken.None)["y"];
            Assert.That(output.AsSpan<float>().ToArray(), Is.EqualTo(new float[] { 2 * i, -2 * i }));
        });
    }

    [Test]
    public async Task Execute_any_shape_is_the_elementwise_result()
    {
        ModelProto model = Doubling("a", "b", "c");
        using IPartitionExecutor executor = await LoadAsync(model);

        Gen.Select(Gen.Int[0, 5], Gen.Int[0, 5], Gen.Int[0, 5], Gen.Int).Sample((a, b, c, seed) =>
        {
            var random = new Random(seed);
            float[] elements = [.. Enumerable.Range(0, a * b * c).Select(_ => random.NextSingle())];
            using Tensor input = Tensor.Create<float>(elements, new TensorShape(a, b, c));
            using Tensor output = executor.Execute(Inputs(("x", input)), CancellationToken.None)["y"];
            return output.Shape == input.Shape && output.AsSpan<float>().SequenceEqual([.. elements.Select(static element => element + element)]);
        }, iter: 100, threads: 1);
    }

    private static ModelProto Doubling(params string[] dimensions)
    {
        string[] shape = dimensions.Length > 0 ? dimensions : ["n"];
        return Model([Node("Add", ["x", "x"], ["y"])], [Value("x", TensorElementType.Float, shape)], [Value("y", TensorElementType.Float, shape)]);
    }

    /// <summary>A loop of the largest trip count there is.</summary>
    private static ModelProto EndlessLoop()
    {
        var body = new GraphProto { Name = "body" };
        body.Input.AddRange([Value("i", TensorElementType.Int64), Value("go", TensorElementType.Bool), Value("v", TensorElementType.Float, "1")]);
        body.Node.AddRange([Node("Identity", ["go"], ["go_on"]), Node("Neg", ["v"], ["w"])]);
        body.Output.AddRange([Value("go_on", TensorElementType.Bool), Value("w", TensorElementType.Float, "1")]);
        return Model(
            [Node("Loop", ["count", "", "x"], ["y"], Body("body", body))],
            [Value("x", TensorElementType.Float, "1")],
            [Value("y", TensorElementType.Float, "1")],
            Weight("count", TensorElementType.Int64, [], long.MaxValue));
    }
}
