using EdgeSplit.Models;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Tensors;
using static EdgeSplit.Onnx.Tests.Runtime.Proto;

namespace EdgeSplit.Onnx.Tests.Splitting;

internal sealed class ConstantTests
{
    [Test]
    public void Extract_constants_made_of_weights_are_copied_to_every_part_that_reads_them()
    {
        using var model = new SmallModel(Model(
            [
                Node("Identity", ["w"], ["same"]), Node("Transpose", ["same"], ["turned"]),
                Node("MatMul", ["x", "turned"], ["a"]), Node("Relu", ["a"], ["b"]), Node("MatMul", ["b", "same"], ["y"]),
            ],
            [Value("x", TensorElementType.Float, "2", "20")], [Value("y", TensorElementType.Float, "2", "20")],
            RandomWeight("w", 1, 20, 20)));

        Assert.That(model.Graph.Layers.Select(static layer => layer.Kind), Is.EqualTo(["MatMul", "Relu", "MatMul"]));
        ModelPartition first = model.Opened.Extract([0]);
        ModelPartition last = model.Opened.Extract([2]);
        Assert.That(first.Inputs.Select(static input => input.Name), Is.EqualTo(["x"]));
        Assert.That(last.Blobs, Is.EqualTo(first.Blobs), "one weight, one blob");
        Assert.That(model.Graph.Layers[0].Weights, Is.EqualTo(model.Graph.Layers[2].Weights));
        model.ExpectExactAtEveryCut();
    }

    [Test]
    public void Extract_quantised_weight_is_dequantised_in_the_part_that_uses_it()
    {
        using var model = new SmallModel(Model(
            [Node("DequantizeLinear", ["wq", "scale"], ["w"]), Node("Relu", ["x"], ["a"]), Node("MatMul", ["a", "w"], ["y"])],
            [Value("x", TensorElementType.Float, "1", "4")], [Value("y", TensorElementType.Float, "1", "2")],
            Weight<sbyte>("wq", TensorElementType.Int8, [4, 2], 1, 2, 3, 4, -5, 6, 7, 8), Weight("scale", TensorElementType.Float, [], 0.1f)));

        Assert.That(model.Part(1).Graph.Node.Select(static node => node.OpType), Is.EqualTo(["DequantizeLinear", "MatMul"]));
        model.ExpectExactAtEveryCut();
    }

    [Test]
    public void Open_random_operators_are_layers_and_never_copied()
    {
        using var model = new SmallModel(Model(
            [
                Node("RandomNormal", [], ["noise"], Ints("shape", 4), new AttributeProto { Name = "seed", Type = AttributeProto.Types.AttributeType.Float, F = 3 }),
                Node("Add", ["x", "noise"], ["a"]), Node("Mul", ["a", "noise"], ["y"]),
            ],
            [Value("x", TensorElementType.Float, "4")], [Value("y", TensorElementType.Float, "4")]));

        Assert.That(model.Graph.Layers.Select(static layer => layer.Kind), Is.EqualTo(["RandomNormal", "Add", "Mul"]));
        Assert.That(model.Part(1, 2).Graph.Node.Select(static node => node.OpType), Has.None.EqualTo("RandomNormal"));
        model.ExpectExactAtEveryCut();
    }

    [Test]
    public void Extract_initializer_that_is_an_input_stays_one_with_its_default()
    {
        using var model = new SmallModel(Model(
            [Node("Add", ["x", "w"], ["a"]), Node("Mul", ["a", "w"], ["y"])],
            [Value("x", TensorElementType.Float, "4"), Value("w", TensorElementType.Float, "4")], [Value("y", TensorElementType.Float, "4")],
            RandomWeight("w", 1, 4)));

        Assert.That(model.Opened.Inputs.Select(static input => input.Name), Is.EqualTo(["x"]));
        foreach (ModelProto part in new[] { model.Part(0), model.Part(1) })
        {
            Assert.That(part.Graph.Input.Select(static input => input.Name), Has.Member("w"));
            Assert.That(part.Graph.Initializer.Select(static tensor => tensor.Name), Is.EqualTo(["w"]));
        }
        model.ExpectExactAtEveryCut();
    }

    [Test]
    public void Extract_sparse_initializer_goes_to_its_part()
    {
        ModelProto proto = Model(
            [Node("Relu", ["x"], ["a"]), Node("MatMul", ["a", "s"], ["y"])],
            [Value("x", TensorElementType.Float, "1", "3")], [Value("y", TensorElementType.Float, "1", "2")]);
        proto.Graph.SparseInitializer.Add(new SparseTensorProto
        {
            Values = Weight("s", TensorElementType.Float, [2], 1.5f, -2f),
            Indices = Weight<long>("", TensorElementType.Int64, [2], 1, 4),
            Dims = { 3, 2 },
        });
        using var model = new SmallModel(proto);

        Assert.That(model.Part(1).Graph.SparseInitializer, Has.Count.EqualTo(1));
        Assert.That(model.Part(0).Graph.SparseInitializer, Is.Empty);
        model.ExpectExactAtEveryCut();
    }
}
