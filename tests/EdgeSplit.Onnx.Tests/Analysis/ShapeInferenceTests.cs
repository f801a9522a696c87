using EdgeSplit.Onnx.Analysis;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Tensors;
using EdgeSplit.Tests;
using static EdgeSplit.Onnx.Tests.Runtime.Proto;

namespace EdgeSplit.Onnx.Tests.Analysis;

public sealed class ShapeInferenceTests
{
    private static readonly Dictionary<string, long> NoSizes = [];

    [Test]
    public void Infer_symbolic_batch_keeps_the_symbol()
    {
        IReadOnlyDictionary<string, TensorInfo> types = ShapeInference.Infer(TwoLayers(), ".", NoSizes, CancellationToken.None);

        Assert.That(types["hidden"].ToString(), Is.EqualTo("Float [batch, 8]"));
        Assert.That(types["y"].ToString(), Is.EqualTo("Float [batch, 8]"));
    }

    [Test]
    public void Infer_symbolic_batch_with_size_is_static()
    {
        IReadOnlyDictionary<string, TensorInfo> types = ShapeInference.Infer(TwoLayers(), ".", new Dictionary<string, long> { ["batch"] = 5 }, CancellationToken.None);

        Assert.That(types["x"].ToString(), Is.EqualTo("Float [5, 4]"));
        Assert.That(types["hidden"].ToString(), Is.EqualTo("Float [5, 8]"));
    }

    [Test]
    public void Infer_shape_from_a_constant_is_folded()
    {
        ModelProto model = Model(
            [
                Node("Shape", ["x"], ["shape"]),
                Node("Gather", ["shape", "first"], ["rows"]),
                Node("Concat", ["rows", "rest"], ["target"], Int("axis", 0)),
                Node("Reshape", ["x", "target"], ["flat"]),
                Node("Relu", ["flat"], ["y"]),
            ],
            [Value("x", TensorElementType.Float, "2", "3", "4")],
            [Value("y", TensorElementType.Float)],
            Weight<long>("first", TensorElementType.Int64, [1], 0),
            Weight<long>("rest", TensorElementType.Int64, [1], -1));
        model.Graph.Output[0].Type.TensorType.Shape = null;

        IReadOnlyDictionary<string, TensorInfo> types = ShapeInference.Infer(model, ".", NoSizes, CancellationToken.None);

        Assert.That(types["flat"].ToString(), Is.EqualTo("Float [2, 12]"));
        Assert.That(types["y"].ToString(), Is.EqualTo("Float [2, 12]"));
        Assert.That(types["target"].ToString(), Is.EqualTo("Int64 [2]"));
    }

    [Test]
    public void Infer_large_weight_is_neither_read_nor_missed()
    {
        // The file that the weight refers to does not exist.
        ModelProto model = Model(
            [Node("MatMul", ["x", "w"], ["y"])],
            [Value("x", TensorElementType.Float, "1", "4096")],
            [new ValueInfoProto { Name = "y" }]);
        var weight = new TensorProto { Name = "w", DataType = 1, DataLocation = TensorProto.Types.DataLocation.External };
        weight.Dims.AddRange([4096, 4096]);
        weight.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = "missing.bin" });
        model.Graph.Initializer.Add(weight);

        IReadOnlyDictionary<string, TensorInfo> types = ShapeInference.Infer(model, ".", NoSizes, out string? rejection, CancellationToken.None);

        Assert.That(rejection, Is.Null);
        Assert.That(types["y"].ToString(), Is.EqualTo("Float [1, 4096]"));
        Assert.That(types["w"].ToString(), Is.EqualTo("Float [4096, 4096]"));
    }

    [Test]
    public void Infer_element_types_that_the_binding_lacks_are_known()
    {
        ModelProto model = Model(
            [
                Node("Cast", ["x"], ["eight"], Int("to", (int)TensorElementType.Float8E4M3FN)),
                Node("Cast", ["x"], ["four"], Int("to", (int)TensorElementType.Int4)),
                Node("Cast", ["eight"], ["y"], Int("to", (int)TensorElementType.Float)),
            ],
            [Value("x", TensorElementType.Float, "3")],
            [Value("y", TensorElementType.Float, "3")]);

        IReadOnlyDictionary<string, TensorInfo> types = ShapeInference.Infer(model, ".", NoSizes, out string? rejection, CancellationToken.None);

        Assert.That(rejection, Is.Null);
        Assert.That(types["eight"].ElementType, Is.EqualTo(TensorElementType.Float8E4M3FN));
        Assert.That(types["four"].ElementType, Is.EqualTo(TensorElementType.Int4));
    }

    [Test]
    public void Infer_scalar_and_unknown_rank_differ()
    {
        ModelProto model = Model(
            [Node("ReduceSum", ["x"], ["sum"], Int("keepdims", 0)), Node("Reshape", ["x", "target"], ["y"])],
            [Value("x", TensorElementType.Float, "2", "2"), UnknownLength("target")],
            [new ValueInfoProto { Name = "y" }]);

        IReadOnlyDictionary<string, TensorInfo> types = ShapeInference.Infer(model, ".", NoSizes, CancellationToken.None);

        Assert.That(types["sum"].Dimensions, Is.Empty.And.Not.EqualTo(default(System.Collections.Immutable.ImmutableArray<Dimension>)));
        Assert.That(types["y"].Dimensions.IsDefault, Is.True);

        static ValueInfoProto UnknownLength(string name) => Value(name, TensorElementType.Int64, "");
    }

    [Test]
    public void Infer_sequence_is_no_tensor()
    {
        ModelProto model = Model(
            [Node("SequenceConstruct", ["x", "x"], ["list"]), Node("SequenceLength", ["list"], ["y"])],
            [Value("x", TensorElementType.Float, "2")],
            [Value("y", TensorElementType.Int64)]);

        IReadOnlyDictionary<string, TensorInfo> types = ShapeInference.Infer(model, ".", NoSizes, CancellationToken.None);

        Assert.That(types["list"].ElementType, Is.EqualTo(TensorElementType.Undefined));
    }

    [Test]
    public void Infer_rejected_model_gives_what_it_declares()
    {
        ModelProto model = TwoLayers();
        model.Graph.Node[1].OpType = "NoSuchOperator";
        model.Graph.ValueInfo.Add(Value("hidden", TensorElementType.Float, "batch", "8"));

        IReadOnlyDictionary<string, TensorInfo> types = ShapeInference.Infer(model, ".", new Dictionary<string, long> { ["batch"] = 2 }, out string? rejection, CancellationToken.None);

        Assert.That(rejection, Does.Contain("NoSuchOperator"));
        Assert.That(types["hidden"].ToString(), Is.EqualTo("Float [2, 8]"));
    }

    [Test]
    public void Infer_two_producers_of_one_name_is_rejected_not_thrown()
    {
        ModelProto model = TwoLayers();
        model.Graph.Node[1].Output[0] = "hidden";

        Assert.That(() => ShapeInference.Infer(model, ".", NoSizes, CancellationToken.None), Throws.Nothing);
    }

    [Test]
    public void Infer_leaves_the_model_as_it_was()
    {
        ModelProto model = TwoLayers();
        ModelProto copy = model.Clone();

        ShapeInference.Infer(model, ".", new Dictionary<string, long> { ["batch"] = 2 }, CancellationToken.None);

        Assert.That(model, Is.EqualTo(copy));
    }

    [Test]
    public void Infer_thousands_of_nodes_is_quick_enough_to_test()
    {
        IEnumerable<NodeProto> nodes = Enumerable.Range(0, 3000).Select(static i => Node("Relu", [$"v{i}"], [$"v{i + 1}"]));
        ModelProto model = Model(nodes, [Value("v0", TensorElementType.Float, "n")], [Value("v3000", TensorElementType.Float, "n")]);

        IReadOnlyDictionary<string, TensorInfo> types = ShapeInference.Infer(model, ".", NoSizes, CancellationToken.None);

        Assert.That(types["v1500"].ToString(), Is.EqualTo("Float [n]"));
        Assert.That(types, Has.Count.EqualTo(3001));
    }

    [TestCase("gpt2-past-tiny")]
    [TestCase("light-vgg19")]
    [TestCase("light-resnet50")]
    [TestCase("yolox-nano")]
    [TestCase("mobilenet-qdq-maui")]
    [TestCase("ort-te-cast-fp8")]
    public void Infer_real_model_with_sizes_knows_every_value_that_is_read(string name)
    {
        string folder = TestData.Require("models", name);
        ModelProto model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(Path.Combine(folder, "model.onnx")));
        Dictionary<string, long> sizes = model.Graph.Input
            .SelectMany(static input => input.Type?.TensorType?.Shape?.Dim ?? [])
            .Where(static dimension => dimension.DimParam.Length > 0)
            .Select(static dimension => dimension.DimParam)
            .Distinct()
            .ToDictionary(static symbol => symbol, static _ => 4L);

        IReadOnlyDictionary<string, TensorInfo> types = ShapeInference.Infer(model, folder, sizes, out string? rejection, CancellationToken.None);

        string[] unknown = [.. model.Graph.Node.SelectMany(static node => node.Input).Where(static value => value.Length > 0)
            .Where(value => !types.TryGetValue(value, out TensorInfo? info) || info.Dimensions.IsDefault || info.Dimensions.Any(static dimension => dimension.Size is null))];
        Assert.That(rejection, Is.Null);
        Assert.That(unknown, Is.Empty);
    }

    private static ModelProto TwoLayers() => Model(
        [Node("MatMul", ["x", "w"], ["hidden"]), Node("Relu", ["hidden"], ["y"])],
        [Value("x", TensorElementType.Float, "batch", "4")],
        [Value("y", TensorElementType.Float, "batch", "8")],
        RandomWeight("w", 1, 4, 8));
}
