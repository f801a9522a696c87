using EdgeSplit.Onnx.Format;
using EdgeSplit.Tensors;
using EdgeSplit.Tests;
using Google.Protobuf;
using static EdgeSplit.Onnx.Tests.Runtime.Proto;

namespace EdgeSplit.Onnx.Tests.Models;

internal sealed class HostileModelTests
{
    [Test]
    public void Open_missing_file_is_not_found()
    {
        using var folder = new TemporaryFolder();

        Assert.That(Assert.Throws<EdgeSplitException>(() => OnnxModel.Open(folder["none.onnx"])).Error, Is.EqualTo(EdgeSplitError.NotFound));
        Assert.That(Assert.Throws<EdgeSplitException>(() => OnnxModel.Open(folder.Path)).Error, Is.EqualTo(EdgeSplitError.NotFound));
    }

    [Test]
    public void Open_cycle_is_invalid() => Expect("a cycle", Model(
        [Node("Add", ["x", "b"], ["a"]), Node("Relu", ["a"], ["b"])], [X], [Value("b", TensorElementType.Float, "4")]));

    [Test]
    public void Open_missing_value_is_invalid() => Expect("'nowhere', which nothing makes", Model([Node("Add", ["x", "nowhere"], ["y"])], [X], [Y]));

    [Test]
    public void Open_missing_output_is_invalid() => Expect("nothing makes its output 'y'", Model([Node("Relu", ["x"], ["a"])], [X], [Y]));

    [Test]
    public void Open_two_producers_are_invalid() => Expect("two nodes make 'y'", Model([Node("Relu", ["x"], ["y"]), Node("Exp", ["x"], ["y"])], [X], [Y]));

    [Test]
    public void Open_two_inputs_of_one_name_are_invalid() => Expect("two inputs", Model([Node("Relu", ["x"], ["y"])], [X, X], [Y]));

    [Test]
    public void Open_weight_without_its_data_is_invalid() => Expect("does not have the", Model([Node("Add", ["x", "w"], ["y"])], [X], [Y],
        new TensorProto { Name = "w", DataType = (int)TensorElementType.Float, Dims = { 1L << 40 }, RawData = ByteString.CopyFrom(new byte[16]) }));

    [Test]
    public void Open_weight_of_overflowing_shape_is_invalid() => Expect("impossible shape", Model([Node("Add", ["x", "w"], ["y"])], [X], [Y],
        new TensorProto { Name = "w", DataType = (int)TensorElementType.Float, Dims = { 1L << 40, 1L << 40 } }));

    [Test]
    public void Open_weight_of_negative_shape_is_invalid() => Expect("impossible shape", Model([Node("Add", ["x", "w"], ["y"])], [X], [Y],
        new TensorProto { Name = "w", DataType = (int)TensorElementType.Float, Dims = { -4 } }));

    [Test]
    public void Open_weight_of_unknown_type_is_invalid() => Expect("element type 99", Model([Node("Add", ["x", "w"], ["y"])], [X], [Y],
        new TensorProto { Name = "w", DataType = 99, Dims = { 4 } }));

    [Test]
    public void Open_bodies_nested_without_end_are_invalid()
    {
        var body = new GraphProto { Name = "deepest" };
        for (int i = 0; i < 80; i++)
        {
            var outer = new GraphProto { Name = "deeper" };
            NodeProto node = Node("If", ["x"], ["y"], Body("then_branch", body));
            // Longer than what the reader copies without looking inside.
            node.DocString = new string('d', 2000);
            outer.Node.Add(node);
            body = outer;
        }
        Expect("not a valid ONNX model", Model([Node("If", ["x"], ["y"], Body("then_branch", body))], [X], [Y]));
    }

    [TestCase(new byte[0], "empty")]
    [TestCase(new byte[] { 0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x01 }, "does not fit")]
    [TestCase(new byte[] { 0x3a, 0x80 }, "cut off")]
    [TestCase(new byte[] { 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01 }, "more than ten bytes")]
    [TestCase(new byte[] { 0x08, 0x08 }, "has no graph")]
    [TestCase(new byte[] { 0x00 }, "no field 0")]
    public void Open_bytes_that_are_no_model_are_invalid(byte[] bytes, string reason)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder["model.onnx"], bytes);
        ExpectInvalid(folder["model.onnx"], reason);
    }

    [Test]
    public void Open_every_beginning_of_a_model_is_invalid_or_opens()
    {
        byte[] whole = Model([Node("Add", ["x", "w"], ["y"])], [X], [Y], RandomWeight("w", 1, 4)).ToByteArray();
        using var folder = new TemporaryFolder();
        for (int length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(folder["model.onnx"], whole[..length]);
            try
            {
                OnnxModel.Open(folder["model.onnx"], new OnnxModelOptions { InferShapes = false }).Dispose();
            }
            catch (EdgeSplitException exception)
            {
                Assert.That(exception.Error, Is.EqualTo(EdgeSplitError.InvalidModel));
            }
        }
    }

    private static ValueInfoProto X => Value("x", TensorElementType.Float, "4");

    private static ValueInfoProto Y => Value("y", TensorElementType.Float, "4");

    private static void Expect(string reason, ModelProto model)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder["model.onnx"], model.ToByteArray());
        ExpectInvalid(folder["model.onnx"], reason);
    }

    private static void ExpectInvalid(string path, string reason)
    {
        EdgeSplitException exception = Assert.Throws<EdgeSplitException>(() => OnnxModel.Open(path));
        Assert.That(exception.Error, Is.EqualTo(EdgeSplitError.InvalidModel));
        Assert.That(exception.Message, Does.Contain(reason));
    }
}
