using EdgeSplit.Tensors;
using static EdgeSplit.Onnx.Tests.Runtime.Proto;

namespace EdgeSplit.Onnx.Tests.Splitting;

internal sealed class RecomputationTests
{
    [Test]
    public void Extract_shape_of_a_value_that_the_part_has_is_computed_there()
    {
        using var model = new SmallModel(Model(
            [
                Node("Relu", ["x"], ["a"]), Node("Shape", ["a"], ["shape"]), Node("Gather", ["shape", "zero"], ["batch"]),
                Node("Concat", ["batch", "rest"], ["target"], Int("axis", 0)), Node("Reshape", ["a", "target"], ["y"]),
            ],
            [Value("x", TensorElementType.Float, "n", "2", "3")], [Value("y", TensorElementType.Float, "n", "6")],
            Weight<long>("zero", TensorElementType.Int64, [1], 0), Weight<long>("rest", TensorElementType.Int64, [1], -1)));

        Assert.That(model.Graph.Layers.Select(static layer => layer.Kind), Is.EqualTo(["Relu", "Reshape"]));
        Assert.That(model.Opened.Extract([1]).Inputs.Select(static input => input.Name), Is.EqualTo(["a"]));
        model.ExpectExactAtEveryCut();
    }

    [Test]
    public void Extract_shape_of_a_value_that_the_part_lacks_is_sent()
    {
        using var model = new SmallModel(Model(
            [
                Node("Relu", ["x"], ["a"]), Node("Shape", ["a"], ["shape"]),
                Node("Exp", ["z"], ["b"]), Node("Reshape", ["b", "shape"], ["y"]), Node("Neg", ["a"], ["v"]),
            ],
            [Value("x", TensorElementType.Float, "2", "3"), Value("z", TensorElementType.Float, "6")],
            [Value("y", TensorElementType.Float, "2", "3"), Value("v", TensorElementType.Float, "2", "3")]));

        // Six floats would have to come along to save two integers.
        Assert.That(model.Opened.Extract([model.LayerOf("y")]).Inputs.Select(static input => input.Name), Is.EquivalentTo(["b", "shape"]));
        model.ExpectExactAtEveryCut();
    }

    [Test]
    public void Extract_mask_that_is_larger_than_its_input_is_computed_from_it()
    {
        using var model = new SmallModel(Model(
            [
                Node("Unsqueeze", ["mask", "one"], ["tall"]), Node("Cast", ["tall"], ["real"], Int("to", 1)), Node("Expand", ["real", "size"], ["square"]),
                Node("Exp", ["x"], ["a"]), Node("Add", ["a", "square"], ["y"]),
            ],
            [Value("x", TensorElementType.Float, "16", "16"), Value("mask", TensorElementType.Int64, "16")], [Value("y", TensorElementType.Float, "16", "16")],
            Weight<long>("one", TensorElementType.Int64, [1], 1), Weight<long>("size", TensorElementType.Int64, [2], 16, 16)));

        Assert.That(model.Opened.Extract([model.LayerOf("y")]).Inputs.Select(static input => input.Name), Is.EquivalentTo(["a", "mask"]));
        model.ExpectExactAtEveryCut();
    }

    [Test]
    public void Extract_table_lookup_is_not_repeated()
    {
        using var model = new SmallModel(Model(
            [Node("Gather", ["table", "ids"], ["a"]), Node("Exp", ["a"], ["b"]), Node("Add", ["a", "b"], ["y"])],
            [Value("ids", TensorElementType.Int64, "2")], [Value("y", TensorElementType.Float, "2", "64")],
            RandomWeight("table", 1, 6, 64)));

        Assert.That(model.Graph.Layers.Select(static layer => layer.Kind), Is.EqualTo(["Gather", "Exp", "Add"]));
        Assert.That(model.Opened.Extract([2]).Blobs, Is.Empty);
    }

    [Test]
    public void Extract_quantised_value_crosses_with_one_byte_an_element()
    {
        using var model = new SmallModel(Model(
            [
                Node("QuantizeLinear", ["x", "scale", "zero"], ["q"]), Node("DequantizeLinear", ["q", "scale", "zero"], ["d"]),
                Node("Relu", ["d"], ["a"]), Node("Add", ["a", "d"], ["y"]),
            ],
            [Value("x", TensorElementType.Float, "4")], [Value("y", TensorElementType.Float, "4")],
            Weight("scale", TensorElementType.Float, [], 0.1f), Weight<byte>("zero", TensorElementType.UInt8, [], 3)));

        Assert.That(model.Opened.Extract([model.LayerOf("a")]).Inputs.Single().ElementType, Is.EqualTo(TensorElementType.UInt8));
        Assert.That(model.Opened.Extract([model.LayerOf("y")]).Inputs.Select(static input => input.Name), Is.EquivalentTo(["a", "q"]));
        model.ExpectExactAtEveryCut();
    }
}
