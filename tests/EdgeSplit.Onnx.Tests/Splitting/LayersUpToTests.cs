using EdgeSplit.Tensors;
using static EdgeSplit.Onnx.Tests.Runtime.Proto;

namespace EdgeSplit.Onnx.Tests.Splitting;

internal sealed class LayersUpToTests
{
    [Test]
    public void LayersUpTo_tensor_are_those_that_it_needs()
    {
        using SmallModel model = Branches();

        Assert.That(model.Opened.LayersUpTo(["left"]), Is.EqualTo([0, 1]));
        Assert.That(model.Opened.LayersUpTo(["left", "right"]), Is.EqualTo([0, 1, 2]));
    }

    [Test]
    public void LayersUpTo_recomputed_shape_are_those_of_what_it_is_the_shape_of()
    {
        using SmallModel model = Branches();

        Assert.That(model.Opened.LayersUpTo(["shape"]), Is.EqualTo([0]));
    }

    [TestCase("lefd", EdgeSplitError.NotFound, "'left'")]
    [TestCase("x", EdgeSplitError.IllegalCut, "an input")]
    [TestCase("w", EdgeSplitError.IllegalCut, "a constant")]
    [TestCase("y", EdgeSplitError.IllegalCut, "nothing comes after")]
    public void LayersUpTo_tensor_that_is_no_place_to_cut_is_refused_with_the_reason(string tensor, EdgeSplitError error, string reason)
    {
        using SmallModel model = Branches();

        EdgeSplitException exception = Assert.Throws<EdgeSplitException>(() => model.Opened.LayersUpTo([tensor]));
        Assert.That(exception.Error, Is.EqualTo(error));
        Assert.That(exception.Message, Does.Contain(reason));
    }

    private static SmallModel Branches() => new(Model(
        [
            Node("Relu", ["x"], ["a"]), Node("MatMul", ["a", "w"], ["left"]), Node("Exp", ["a"], ["right"]),
            Node("Shape", ["a"], ["shape"]), Node("Reshape", ["a", "shape"], ["same"]), Node("Sum", ["left", "right", "same"], ["y"]),
        ],
        [Value("x", TensorElementType.Float, "4", "4")], [Value("y", TensorElementType.Float, "4", "4")],
        RandomWeight("w", 1, 4, 4)));
}
