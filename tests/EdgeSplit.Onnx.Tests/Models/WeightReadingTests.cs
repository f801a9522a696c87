using EdgeSplit.Models;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Onnx.Tests.Splitting;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;
using EdgeSplit.Tests;
using Google.Protobuf;
using static EdgeSplit.Onnx.Tests.Runtime.Proto;

namespace EdgeSplit.Onnx.Tests.Models;

internal sealed class WeightReadingTests
{
    [Test]
    public async Task OpenBlobAsync_gives_the_weight_whichever_field_it_was_in()
    {
        float[] floats = [.. Enumerable.Range(0, 400).Select(static i => i * 0.5f)];
        double[] doubles = [.. Enumerable.Range(0, 400).Select(static i => i * 0.25)];
        var packed = new TensorProto { Name = "packed", DataType = (int)TensorElementType.Float, Dims = { 400 } };
        packed.FloatData.AddRange(floats);
        var packedDoubles = new TensorProto { Name = "doubles", DataType = (int)TensorElementType.Double, Dims = { 400 } };
        packedDoubles.DoubleData.AddRange(doubles);
        var halves = new TensorProto { Name = "halves", DataType = (int)TensorElementType.Float16, Dims = { 1000 } };
        halves.Int32Data.AddRange(Enumerable.Range(0, 1000));
        using var model = new SmallModel(Model(
            [
                Node("Add", ["x", "raw"], ["a"]), Node("Add", ["a", "packed"], ["y"]),
                Node("Mul", ["d", "doubles"], ["z"]), Node("Mul", ["h", "halves"], ["v"]),
            ],
            [Value("x", TensorElementType.Float, "400"), Value("d", TensorElementType.Double, "400"), Value("h", TensorElementType.Float16, "1000")],
            [Value("y", TensorElementType.Float, "400"), Value("z", TensorElementType.Double, "400"), Value("v", TensorElementType.Float16, "1000")],
            Weight("raw", TensorElementType.Float, [400], floats), packed, packedDoubles, halves));

        ModelPartition part = model.Opened.Extract([.. Enumerable.Range(0, model.Graph.Layers.Length)]);

        // The two tensors of floats are equal, so they are one blob.
        Assert.That(part.Blobs.Select(static blob => blob.ByteCount), Is.EquivalentTo([1600, 3200, 2000]));
        BlobReference first = part.Blobs.First(static blob => blob.ByteCount == 1600);
        using Stream content = await model.Opened.OpenBlobAsync(first.Hash, CancellationToken.None);
        using var copy = new MemoryStream();
        await content.CopyToAsync(copy);
        Assert.That(copy.ToArray(), Is.EqualTo(System.Runtime.InteropServices.MemoryMarshal.AsBytes(floats.AsSpan()).ToArray()));
        Assert.That(model.Graph.WeightBytes, Is.EqualTo(1600 + 1600 + 3200 + 2000));
        model.ExpectExactAtEveryCut();
    }

    [Test]
    public async Task OpenBlobAsync_unknown_blob_is_not_found()
    {
        using var model = new SmallModel(Model([Node("Relu", ["x"], ["y"])], [Value("x", TensorElementType.Float, "4")], [Value("y", TensorElementType.Float, "4")]));

        EdgeSplitException? exception = await Assert.ThrowsAsync<EdgeSplitException>(async () => await model.Opened.OpenBlobAsync(ContentHash.Of([1]), CancellationToken.None));
        Assert.That(exception?.Error, Is.EqualTo(EdgeSplitError.NotFound));
    }

    [Test]
    public void Open_external_data_at_an_offset_is_found()
    {
        using var folder = new TemporaryFolder();
        byte[] weights = new byte[4000];
        Random.Shared.NextBytes(weights);
        File.WriteAllBytes(folder["weights.bin"], weights);
        Write(folder, ("location", "weights.bin"), ("offset", "800"), ("length", "1600"));
        using OnnxModel model = OnnxModel.Open(folder["model.onnx"]);

        Assert.That(model.Extract([0]).Blobs.Single().Hash, Is.EqualTo(ContentHash.Of(weights.AsSpan(800, 1600))));
    }

    [TestCase("../outside.bin", "0", "1600", "leads out")]
    [TestCase("/etc/passwd", "0", "1600", "not a path relative")]
    [TestCase("link.bin", "0", "1600", "a link that leads out")]
    [TestCase("missing.bin", "0", "1600", "no such file")]
    [TestCase("weights.bin", "3000", "1600", "only 4000 bytes")]
    [TestCase("weights.bin", "0", "1599", "1599 bytes")]
    [TestCase("weights.bin", "-5", "1600", "without a usable")]
    [TestCase("weights.bin", "99999999999999999999", "1600", "without a usable")]
    public void Open_external_data_that_is_not_there_or_outside_is_invalid(string location, string offset, string length, string reason)
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["inside"]);
        File.WriteAllBytes(folder["outside.bin"], new byte[4000]);
        File.WriteAllBytes(folder["inside", "weights.bin"], new byte[4000]);
        File.CreateSymbolicLink(folder["inside", "link.bin"], folder["outside.bin"]);
        Write(folder, "inside", ("location", location), ("offset", offset), ("length", length));

        EdgeSplitException exception = Assert.Throws<EdgeSplitException>(() => OnnxModel.Open(folder["inside", "model.onnx"]));
        Assert.That(exception.Error, Is.EqualTo(EdgeSplitError.InvalidModel));
        Assert.That(exception.Message, Does.Contain(reason));
    }

    private static void Write(TemporaryFolder folder, params (string Key, string Value)[] external) => Write(folder, "", external);

    private static void Write(TemporaryFolder folder, string subfolder, params (string Key, string Value)[] external)
    {
        var weight = new TensorProto { Name = "w", DataType = (int)TensorElementType.Float, Dims = { 400 }, DataLocation = TensorProto.Types.DataLocation.External };
        weight.ExternalData.AddRange(external.Select(static entry => new StringStringEntryProto { Key = entry.Key, Value = entry.Value }));
        File.WriteAllBytes(folder[subfolder, "model.onnx"], Model([Node("Add", ["x", "w"], ["y"])],
            [Value("x", TensorElementType.Float, "400")], [Value("y", TensorElementType.Float, "400")], weight).ToByteArray());
    }
}
