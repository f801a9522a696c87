using EdgeSplit.Models;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Tensors;
using static EdgeSplit.Onnx.Tests.Runtime.Proto;

namespace EdgeSplit.Onnx.Tests.Splitting;

/// <summary>Graphs of unusual form: outputs that are inputs, unsorted nodes, optional values, late uses.</summary>
internal sealed class GraphShapeTests
{
    [Test]
    public void Open_input_that_is_an_output_passes_by_all_layers()
    {
        using var model = new SmallModel(Model(
            [Node("Relu", ["x"], ["y"])],
            [Value("x", TensorElementType.Float, "4")], [Value("x", TensorElementType.Float, "4"), Value("y", TensorElementType.Float, "4")]));

        Activation passed = model.Graph.Activations.Single(static activation => activation.Info.Name == "x");
        Assert.That((passed.Producer, passed.IsModelOutput), Is.EqualTo((Activation.ModelInput, true)));
        Assert.That(model.Opened.Extract([0]).Outputs.Select(static output => output.Name), Is.EqualTo(["y"]));
        model.ExpectExactAtEveryCut();
    }

    [Test]
    public void Open_output_that_is_a_weight_has_a_layer_of_its_own()
    {
        using var model = new SmallModel(Model(
            [Node("Relu", ["x"], ["y"]), Node("Neg", ["w"], ["negated"])],
            [Value("x", TensorElementType.Float, "4")],
            [Value("y", TensorElementType.Float, "4"), Value("w", TensorElementType.Float, "4"), Value("negated", TensorElementType.Float, "4")],
            RandomWeight("w", 1, 4)));

        Assert.That(model.Graph.Layers.Select(static layer => layer.Kind), Is.EqualTo(["Relu", "Constant", "Constant"]));
        model.ExpectExactAtEveryCut();
    }

    [Test]
    public void Open_unsorted_graph_is_sorted()
    {
        using var model = new SmallModel(Model(
            [Node("Neg", ["b"], ["y"]), Node("Exp", ["a"], ["b"]), Node("Relu", ["x"], ["a"])],
            [Value("x", TensorElementType.Float, "4")], [Value("y", TensorElementType.Float, "4")]));

        Assert.That(model.Graph.Layers.Select(static layer => layer.Kind), Is.EqualTo(["Relu", "Exp", "Neg"]));
        model.ExpectExactAtEveryCut();
    }

    [Test]
    public void Open_unused_nodes_and_unused_inputs_do_no_harm()
    {
        using var model = new SmallModel(Model(
            [Node("Relu", ["x"], ["a"]), Node("Exp", ["x"], ["unused"]), Node("Neg", ["a"], ["y"])],
            [Value("x", TensorElementType.Float, "4"), Value("ignored", TensorElementType.Float, "4")], [Value("y", TensorElementType.Float, "4")]));

        Assert.That(model.Graph.Layers.Select(static layer => layer.Kind), Is.EqualTo(["Relu", "Neg"]));
        Assert.That(model.Opened.Inputs.Select(static input => input.Name), Is.EqualTo(["x", "ignored"]));
        model.ExpectExactAtEveryCut();
    }

    [Test]
    public void Extract_optional_inputs_and_outputs_keep_their_places()
    {
        using var model = new SmallModel(Model(
            [
                Node("Relu", ["x"], ["a"]),
                Node("Clip", ["a", "", "most"], ["b"]),
                Node("LayerNormalization", ["b", "scale"], ["c", "", "deviation"]),
                Node("Mul", ["c", "deviation"], ["y"]),
            ],
            [Value("x", TensorElementType.Float, "2", "4")], [Value("y", TensorElementType.Float, "2", "4")],
            Weight("most", TensorElementType.Float, [], 0.5f), RandomWeight("scale", 1, 4)));

        Assert.That(model.Part(1).Graph.Node[0].Input, Is.EqualTo(["a", "", "most"]));
        Assert.That(model.Part(2).Graph.Node[0].Output, Is.EqualTo(["c", "", "deviation"]));
        model.ExpectExactAtEveryCut();
    }

    [Test]
    public void Extract_value_used_much_later_crosses_every_cut_between()
    {
        using var model = new SmallModel(Model(
            [Node("Relu", ["x"], ["a"]), Node("Exp", ["a"], ["b"]), Node("Neg", ["b"], ["c"]), Node("Add", ["c", "a"], ["d"]), Node("Mul", ["d", "x"], ["y"])],
            [Value("x", TensorElementType.Float, "4")], [Value("y", TensorElementType.Float, "4")]));

        Assert.That(model.Opened.Extract([3, 4]).Inputs.Select(static input => input.Name), Is.EquivalentTo(["x", "a", "c"]));
        model.ExpectExactAtEveryCut();
    }

    [Test]
    public void Open_graph_without_nodes_has_no_layers()
    {
        using var model = new SmallModel(Model([], [Value("x", TensorElementType.Float, "4")], [Value("x", TensorElementType.Float, "4")]));

        Assert.That(model.Graph.Layers, Is.Empty);
        Assert.That(model.Opened.Outputs.Select(static output => output.Name), Is.EqualTo(["x"]));
    }

    [Test]
    public void Extract_boundary_is_as_dynamic_as_the_model()
    {
        using var model = new SmallModel(Model(
            [Node("Relu", ["x"], ["a"]), Node("Exp", ["a"], ["y"])],
            [Value("x", TensorElementType.Float, "batch", "", "4")], [Value("y", TensorElementType.Float, "batch", "", "4")]));

        TensorShapeProto shape = model.Part(1).Graph.Input[0].Type.TensorType.Shape;
        Assert.That(shape.Dim.Select(static dimension => dimension.HasDimValue ? dimension.DimValue.ToString() : dimension.DimParam.StartsWith("unk", StringComparison.Ordinal) ? "" : dimension.DimParam),
            Is.EqualTo(["batch", "", "4"]));
    }

    [Test]
    public void Extract_metadata_and_annotations_go_along()
    {
        ModelProto proto = Model([Node("Relu", ["x"], ["a"]), Node("Exp", ["a"], ["y"])],
            [Value("x", TensorElementType.Float, "4")], [Value("y", TensorElementType.Float, "4")]);
        proto.MetadataProps.Add(new StringStringEntryProto { Key = "author", Value = "me" });
        proto.Graph.QuantizationAnnotation.Add(new TensorAnnotation { TensorName = "y" });
        proto.Graph.Node[0].MetadataProps.Add(new StringStringEntryProto { Key = "from", Value = "layer1" });
        using var model = new SmallModel(proto);

        Assert.That(model.Part(0).MetadataProps.Single().Value, Is.EqualTo("me"));
        Assert.That(model.Part(0).Graph.Node[0].MetadataProps.Single().Value, Is.EqualTo("layer1"));
        Assert.That(model.Part(0).Graph.QuantizationAnnotation, Is.Empty);
        Assert.That(model.Part(1).Graph.QuantizationAnnotation.Single().TensorName, Is.EqualTo("y"));
    }

    [Test]
    public void Extract_sequence_keeps_its_makers_and_readers_together()
    {
        using var model = new SmallModel(Model(
            [
                Node("Relu", ["x"], ["a"]), Node("Exp", ["x"], ["b"]),
                Node("SequenceConstruct", ["a", "b"], ["s"]),
                Node("SequenceAt", ["s", "first"], ["c"]),
                Node("Tanh", ["c"], ["d"]),
                Node("SequenceInsert", ["s", "d"], ["t"]),
                Node("ConcatFromSequence", ["t"], ["e"], Int("axis", 0)),
                Node("Neg", ["e"], ["y"]),
            ],
            [Value("x", TensorElementType.Float, "4")], [Value("y", TensorElementType.Float, "12")],
            Weight<long>("first", TensorElementType.Int64, [], 0)));

        // Tanh lies on a path from the sequence back to it, so it belongs inside.
        Assert.That(model.Graph.Layers.Select(static layer => layer.Kind),
            Is.EqualTo(["Relu", "Exp", "SequenceConstruct+SequenceAt+Tanh+SequenceInsert+ConcatFromSequence", "Neg"]));
        model.ExpectExactAtEveryCut();
    }

    [TestCase(TensorElementType.Float16)]
    [TestCase(TensorElementType.BFloat16)]
    [TestCase(TensorElementType.Double)]
    [TestCase(TensorElementType.Int8)]
    [TestCase(TensorElementType.UInt16)]
    [TestCase(TensorElementType.UInt32)]
    [TestCase(TensorElementType.Int64)]
    [TestCase(TensorElementType.Bool)]
    [TestCase(TensorElementType.String)]
    public void Extract_boundary_of_any_element_type_is_exact(TensorElementType type)
    {
        using var model = new SmallModel(Model(
            [Node("Transpose", ["x"], ["a"]), Node("Unsqueeze", ["a", "axis"], ["b"]), Node("Squeeze", ["b", "axis"], ["y"])],
            [Value("x", type, "2", "3")], [Value("y", type, "3", "2")],
            Weight<long>("axis", TensorElementType.Int64, [1], 0)));

        Assert.That(model.Graph.Layers, Has.Length.EqualTo(3));
        model.ExpectExactAtEveryCut();
    }
}
