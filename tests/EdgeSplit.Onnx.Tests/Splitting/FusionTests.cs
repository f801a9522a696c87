using EdgeSplit.Onnx.Format;
using EdgeSplit.Tensors;
using static EdgeSplit.Onnx.Tests.Runtime.Proto;

namespace EdgeSplit.Onnx.Tests.Splitting;

internal sealed class FusionTests
{
    [Test]
    public void Open_residual_block_ends_behind_its_activation()
    {
        using var model = new SmallModel(Model(
            [
                Node("Conv", ["x", "w1"], ["c1"]), Node("Relu", ["c1"], ["a1"]),
                Node("Conv", ["a1", "w2"], ["c2"]), Node("Relu", ["c2"], ["a2"]),
                Node("Conv", ["a2", "w3"], ["c3"]), Node("Add", ["c3", "a1"], ["s"]), Node("Relu", ["s"], ["y"]),
            ],
            [Value("x", TensorElementType.Float, "1", "4", "8", "8")], [Value("y", TensorElementType.Float, "1", "4", "8", "8")],
            RandomWeight("w1", 1, 4, 4, 1, 1), RandomWeight("w2", 2, 4, 4, 1, 1), RandomWeight("w3", 3, 4, 4, 1, 1)), LayerGrouping.Fused);

        Assert.That(model.Graph.Layers.Select(static layer => layer.Kind), Is.EqualTo(["Conv+Relu", "Conv+Relu", "Conv+Add+Relu"]));
        Assert.That(model.Graph.Activations.Where(static activation => activation.Producer >= 0 && !activation.IsModelOutput).Select(static activation => activation.CutPenalty),
            Is.All.GreaterThan(0).And.All.LessThanOrEqualTo(1));
        model.ExpectExactAtEveryCut();
    }

    [Test]
    public void Open_decomposed_normalisation_and_activation_are_one_layer_each()
    {
        using var model = new SmallModel(Model(
            [
                Node("MatMul", ["x", "w"], ["m"]), Node("Add", ["m", "x"], ["r"]),
                Node("ReduceMean", ["r", "last"], ["mean"]), Node("Sub", ["r", "mean"], ["centred"]), Node("Pow", ["centred", "two"], ["squared"]),
                Node("ReduceMean", ["squared", "last"], ["variance"]), Node("Add", ["variance", "epsilon"], ["safe"]), Node("Sqrt", ["safe"], ["deviation"]),
                Node("Div", ["centred", "deviation"], ["n"]), Node("Mul", ["n", "gamma"], ["scaled"]),
                Node("MatMul", ["scaled", "w"], ["h"]), Node("Sigmoid", ["h"], ["gate"]), Node("Mul", ["h", "gate"], ["swish"]),
                Node("Add", ["swish", "r"], ["y"]),
            ],
            [Value("x", TensorElementType.Float, "2", "8")], [Value("y", TensorElementType.Float, "2", "8")],
            RandomWeight("w", 1, 8, 8), RandomWeight("gamma", 2, 8), Weight<long>("last", TensorElementType.Int64, [1], -1),
            Weight("two", TensorElementType.Float, [], 2f), Weight("epsilon", TensorElementType.Float, [], 1e-5f)), LayerGrouping.Fused);

        Assert.That(string.Join(" | ", model.Graph.Layers.Select(static layer => layer.Kind)),
            Is.EqualTo("MatMul+Add | ReduceMean+Sub+Pow+ReduceMean+Add+Sqrt+Div+Mul | MatMul+Sigmoid+Mul+Add"));
        model.ExpectExactAtEveryCut();
    }

    [Test]
    public void Open_quantised_operator_is_a_layer_from_integers_to_integers()
    {
        NodeProto[] nodes =
        [
            Node("QuantizeLinear", ["x", "scale", "zero"], ["xq"]), Node("DequantizeLinear", ["xq", "scale", "zero"], ["xd"]),
            Node("DequantizeLinear", ["wq", "scale"], ["w"]), Node("Conv", ["xd", "w"], ["c"]), Node("Relu", ["c"], ["a"]),
            Node("QuantizeLinear", ["a", "scale", "zero"], ["aq"]), Node("DequantizeLinear", ["aq", "scale", "zero"], ["ad"]), Node("GlobalAveragePool", ["ad"], ["y"]),
        ];
        using var model = new SmallModel(Model(nodes,
            [Value("x", TensorElementType.Float, "1", "2", "4", "4")], [Value("y", TensorElementType.Float, "1", "2", "1", "1")],
            Weight<sbyte>("wq", TensorElementType.Int8, [2, 2, 1, 1], 3, -4, 5, 6), Weight("scale", TensorElementType.Float, [], 0.05f),
            Weight<byte>("zero", TensorElementType.UInt8, [], 3)), LayerGrouping.Fused);

        Assert.That(model.Graph.Layers.Select(static layer => layer.Kind), Is.EqualTo(["QuantizeLinear", "Conv+Relu+QuantizeLinear", "GlobalAveragePool"]));
        Assert.That(model.Opened.Extract([1]).Outputs.Single().ElementType, Is.EqualTo(TensorElementType.UInt8));
        model.ExpectExactAtEveryCut();
    }

    [Test]
    public void Extract_of_layers_with_a_detour_is_refused()
    {
        using var model = new SmallModel(Model(
            [Node("Relu", ["x"], ["a"]), Node("Exp", ["a"], ["b"]), Node("Add", ["a", "b"], ["y"])],
            [Value("x", TensorElementType.Float, "4")], [Value("y", TensorElementType.Float, "4")]));

        EdgeSplitException exception = Assert.Throws<EdgeSplitException>(() => model.Opened.Extract([0, 2]));
        Assert.That(exception.Error, Is.EqualTo(EdgeSplitError.IllegalCut));
        Assert.That(exception.Message, Does.Contain("'b'"));
        Assert.That(() => model.Opened.Extract([]), Throws.TypeOf<EdgeSplitException>());
        Assert.That(() => model.Opened.Extract([7]), Throws.TypeOf<EdgeSplitException>());
    }
}
