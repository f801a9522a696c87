using EdgeSplit.Models;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Onnx.Splitting;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;
using EdgeSplit.Tests;
using Microsoft.ML.OnnxRuntime;
using static EdgeSplit.Onnx.Tests.Runtime.Proto;

namespace EdgeSplit.Onnx.Tests.Splitting;

internal sealed class PartitionWriterTests
{
    [TestCase(false)]
    [TestCase(true)]
    public async Task WriteAsync_file_runs_in_OnnxRuntime_and_equals_the_model(bool externalData)
    {
        using SmallModel model = WithWeights();
        using var folder = new TemporaryFolder();
        ModelPartition part = model.Opened.Extract([.. Enumerable.Range(0, model.Graph.Layers.Length)]);

        await PartitionWriter.WriteAsync(part, model.Opened, folder["part.onnx"], externalData);

        Assert.That(Directory.GetFiles(folder.Path).Select(Path.GetFileName), Is.EquivalentTo(externalData ? ["part.onnx", "part.onnx.data"] : new[] { "part.onnx" }));
        Assert.That(Run(folder["part.onnx"]), Is.EqualTo(Run(model.Opened.Path)));
    }

    [Test]
    public async Task WriteAsync_weights_in_constants_bodies_and_number_lists_are_embedded()
    {
        using SmallModel model = WithWeights();
        using var folder = new TemporaryFolder();
        ModelPartition part = model.Opened.Extract([.. Enumerable.Range(0, model.Graph.Layers.Length)]);
        Assert.That(part.Blobs, Has.Length.EqualTo(4), "an initializer, a Constant, one in a body, a list of integers");

        await PartitionWriter.WriteAsync(part, model.Opened, folder["part.onnx"]);

        ModelProto written = ModelProto.Parser.ParseFrom(File.ReadAllBytes(folder["part.onnx"]));
        Assert.That(Reading.TensorProtos.All(written).Select(static tensor => tensor.DataLocation), Is.All.EqualTo(TensorProto.Types.DataLocation.Default));
    }

    [Test]
    public async Task WriteAsync_weight_that_changed_is_noticed_and_nothing_is_left()
    {
        using SmallModel model = WithWeights();
        using var folder = new TemporaryFolder();
        ModelPartition part = model.Opened.Extract([.. Enumerable.Range(0, model.Graph.Layers.Length)]);

        EdgeSplitException? exception = await Assert.ThrowsAsync<EdgeSplitException>(() => PartitionWriter.WriteAsync(part, new Zeros(), folder["part.onnx"]));

        Assert.That(exception?.Error, Is.EqualTo(EdgeSplitError.IntegrityFailure));
        Assert.That(Directory.GetFileSystemEntries(folder.Path), Is.Empty);
    }

    [Test]
    public void Manifest_survives_being_written_and_read()
    {
        var manifest = new SplitManifest { Model = "m.onnx", Inputs = ["x"], Outputs = ["y"], Stages = [new SplitStage("stage-0", "stage-0.onnx", ["x"], ["y"])] };

        Assert.That(SplitManifest.Parse(manifest.ToJson()).ToJson(), Is.EqualTo(manifest.ToJson()));
        Assert.That(manifest.ToJson(), Does.Match("^\\{\\s*\"format\": \"edgesplit.split/1\",\\s*\"model\": \"m.onnx\",\\s*\"inputs\": \\[\\s*\"x\"\\s*\\],\\s*\"outputs\": .*\"stages\": "
            .Replace(".*", "[\\s\\S]*", StringComparison.Ordinal)));
        Assert.That(() => SplitManifest.Parse("{\"format\":\"edgesplit.split/9\",\"model\":\"\",\"inputs\":[],\"outputs\":[],\"stages\":[]}"), Throws.TypeOf<EdgeSplitException>());
        Assert.That(() => SplitManifest.Parse("nonsense"), Throws.TypeOf<EdgeSplitException>());
    }

    private static SmallModel WithWeights()
    {
        NodeProto constant = Node("Constant", [], ["c"]);
        constant.Attribute.Add(new AttributeProto { Name = "value", Type = AttributeProto.Types.AttributeType.Tensor, T = RandomWeight("", 2, 20, 20) });
        var then = new GraphProto { Name = "then" };
        then.Initializer.Add(RandomWeight("inner", 3, 20, 20));
        then.Node.Add(Node("MatMul", ["b", "inner"], ["then_out"]));
        then.Output.Add(Value("then_out", TensorElementType.Float, "20", "20"));
        var otherwise = new GraphProto { Name = "else" };
        otherwise.Node.Add(Node("Identity", ["b"], ["else_out"]));
        otherwise.Output.Add(Value("else_out", TensorElementType.Float, "20", "20"));
        var indexes = new TensorProto { Name = "indexes", DataType = (int)TensorElementType.Int64, Dims = { 20, 20 } };
        indexes.Int64Data.AddRange(Enumerable.Range(0, 400).Select(static i => (long)(i * 7 % 20)));
        return new SmallModel(Model(
            [
                Node("MatMul", ["x", "w"], ["a"]), constant, Node("MatMul", ["a", "c"], ["b"]),
                Node("If", ["yes"], ["d"], Body("then_branch", then), Body("else_branch", otherwise)),
                Node("GatherElements", ["d", "indexes"], ["y"]),
            ],
            [Value("x", TensorElementType.Float, "20", "20")], [Value("y", TensorElementType.Float, "20", "20")],
            RandomWeight("w", 1, 20, 20), Weight("yes", TensorElementType.Bool, [], true), indexes));
    }

    private static float[] Run(string path)
    {
        using var session = new InferenceSession(path);
        using var options = new RunOptions();
        using OrtValue input = OrtValue.CreateTensorValueFromMemory(Enumerable.Range(0, 400).Select(static i => MathF.Sin(i)).ToArray(), [20, 20]);
        using var results = session.Run(options, ["x"], [input], ["y"]);
        return results[0].GetTensorDataAsSpan<float>().ToArray();
    }

    private sealed class Zeros : IBlobSource
    {
        public ValueTask<Stream> OpenBlobAsync(ContentHash hash, CancellationToken cancellationToken) => new(new MemoryStream(new byte[1600]));
    }
}
