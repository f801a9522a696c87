using EdgeSplit.Agents;
using EdgeSplit.Devices;
using EdgeSplit.Models;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;
using EdgeSplit.Tests;
using Google.Protobuf;
using static EdgeSplit.Onnx.Tests.Runtime.Partitions;
using static EdgeSplit.Onnx.Tests.Runtime.Proto;

namespace EdgeSplit.Onnx.Tests.Runtime;

public sealed class OnnxPartitionRuntimeTests
{
    [Test]
    public async Task LoadAsync_weight_in_a_blob_is_used()
    {
        using var folder = new TemporaryFolder();
        byte[] weights = [.. new float[] { 1, 2, 3, 4 }.SelectMany(BitConverter.GetBytes)];
        var hash = ContentHash.Of(weights);
        await File.WriteAllBytesAsync(Path.Combine(folder.Path, hash.ToString()), weights);
        ModelPartition partition = External(hash.ToString(), new BlobReference(hash, weights.Length));

        using IPartitionExecutor executor = await OneThread().LoadAsync(partition, folder.Path, isUrgent: false, CancellationToken.None);
        IReadOnlyDictionary<string, Tensor> outputs = executor.Execute(Inputs(("x", Floats(new TensorShape(1, 2), 1, 10))), CancellationToken.None);

        Assert.That(outputs["y"].AsSpan<float>().ToArray(), Is.EqualTo(new float[] { 31, 42 }));
        outputs["y"].Dispose();
    }

    [TestCase("../secret")]
    [TestCase("/etc/passwd")]
    [TestCase("other")]
    public async Task LoadAsync_external_data_that_is_no_blob_is_refused(string location)
    {
        EdgeSplitException exception = (await Assert.ThrowsAsync<EdgeSplitException>(
            async () => await OneThread().LoadAsync(External(location), Path.GetTempPath(), isUrgent: false, CancellationToken.None)))!;

        Assert.That(exception.Error, Is.EqualTo(EdgeSplitError.InvalidModel));
        Assert.That(exception.Message, Does.Contain(location));
    }

    [Test]
    public async Task LoadAsync_damaged_skeleton_is_an_invalid_model()
    {
        var partition = new ModelPartition { Skeleton = new byte[] { 0xFF, 1, 2 }, Blobs = [], Inputs = [], Outputs = [] };

        EdgeSplitException exception = (await Assert.ThrowsAsync<EdgeSplitException>(async () => await OneThread().LoadAsync(partition, ".", isUrgent: false, CancellationToken.None)))!;

        Assert.That(exception.Error, Is.EqualTo(EdgeSplitError.InvalidModel));
    }

    [Test]
    public async Task LoadAsync_unknown_operator_is_refused_by_name()
    {
        ModelProto model = Model([Node("NoSuchOperator", ["x"], ["y"])], [Value("x", TensorElementType.Float, "1")], [Value("y", TensorElementType.Float, "1")]);

        EdgeSplitException exception = (await Assert.ThrowsAsync<EdgeSplitException>(() => LoadAsync(model)))!;

        Assert.That(exception.Error, Is.AnyOf(EdgeSplitError.UnsupportedModel, EdgeSplitError.InvalidModel));
        Assert.That(exception.Message, Does.Contain("NoSuchOperator"));
    }

    [Test]
    public async Task LoadAsync_sequence_output_is_unsupported()
    {
        var sequence = new ValueInfoProto { Name = "list", Type = new TypeProto { SequenceType = new TypeProto.Types.Sequence { ElemType = Value("e", TensorElementType.Float).Type } } };
        ModelProto model = Model([Node("SequenceConstruct", ["x"], ["list"])], [Value("x", TensorElementType.Float, "2")], [sequence]);

        EdgeSplitException exception = (await Assert.ThrowsAsync<EdgeSplitException>(() => LoadAsync(model)))!;

        Assert.That(exception.Error, Is.EqualTo(EdgeSplitError.UnsupportedModel));
        Assert.That(exception.Message, Does.Contain("'list'").And.Contain("Sequence"));
    }

    [Test]
    public async Task LoadAsync_cancelled_token_throws()
    {
        ModelProto model = Model([Node("Relu", ["x"], ["y"])], [Value("x", TensorElementType.Float, "1")], [Value("y", TensorElementType.Float, "1")]);

        await Assert.CatchAsync<OperationCanceledException>(async () => await OneThread().LoadAsync(Of(model), ".", isUrgent: false, new CancellationToken(canceled: true)));
    }

    [Test]
    public void ExecutionProvider_that_this_build_lacks_falls_back_to_the_processor()
    {
        var runtime = new OnnxPartitionRuntime(new OnnxRuntimeOptions { ExecutionProviders = ["XNNPACK", "NoSuchProvider", "CoreML"] });

        Assert.That(runtime.ExecutionProvider, Is.EqualTo("CPU"));
        Assert.That(runtime.UnavailableProviders, Has.Length.EqualTo(3));
        Assert.That(runtime.UnavailableProviders[1], Does.StartWith("NoSuchProvider: "));
    }

    [Test]
    public void Name_tells_the_version() => Assert.That(OneThread().Name, Does.Match(@"^onnxruntime \d+\.\d+\.\d+"));

    [Test]
    public async Task CalibrateAsync_measures_plausible_rates()
    {
        Device device = await OneThread().CalibrateAsync(CancellationToken.None);

        Assert.That(device.Origin, Is.EqualTo(CostOrigin.Calibrated));
        Assert.That(device.FlopsPerSecond, Is.InRange(1e8, 1e14));
        Assert.That(device.MemoryBytesPerSecond, Is.InRange(1e8, 1e13));
        Assert.That(device.LayerOverheadSeconds, Is.InRange(1e-8, 1e-3));
        Assert.That(device.MemoryBytes, Is.GreaterThan(64L << 20));
    }

    private static ModelPartition External(string location, params BlobReference[] blobs)
    {
        ModelProto model = Model([Node("MatMul", ["x", "w"], ["y"])], [Value("x", TensorElementType.Float, "n", "2")], [Value("y", TensorElementType.Float, "n", "2")]);
        var weight = new TensorProto { Name = "w", DataType = 1, DataLocation = TensorProto.Types.DataLocation.External };
        weight.Dims.AddRange([2, 2]);
        weight.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = location });
        model.Graph.Initializer.Add(weight);
        return new ModelPartition { Skeleton = model.ToByteArray(), Blobs = [.. blobs], Inputs = [], Outputs = [] };
    }
}
