using System.Collections.Immutable;
using EdgeSplit.Models;
using EdgeSplit.ModelZoo;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Onnx.Runtime.Profiling;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;
using EdgeSplit.Tests;
using Google.Protobuf;
using static EdgeSplit.Onnx.Tests.Runtime.Partitions;
using static EdgeSplit.Onnx.Tests.Runtime.Proto;

namespace EdgeSplit.Onnx.Tests.Runtime.Profiling;

public sealed class LayerProfilerTests
{
    private static readonly LayerProfilerOptions Short = new() { Duration = TimeSpan.FromMilliseconds(200) };

    [Test]
    public async Task ProfileAsync_layers_add_up_to_the_model_and_the_heavy_one_dominates()
    {
        using var folder = new TemporaryFolder();
        using OnnxModel model = Open(folder, LightHeavyLight());
        var progress = new LastProgress();

        LayerProfile profile = await new LayerProfiler(OneThread(), Short).ProfileAsync(model, null, progress, CancellationToken.None);

        int heavy = model.Graph.Layers.Single(static layer => layer.Kind.Contains("MatMul", StringComparison.Ordinal)).Index;
        Assert.That(profile.LayerSeconds.Sum(), Is.EqualTo(profile.ModelSeconds).Within(0.001).Percent);
        Assert.That(profile.LayerSeconds[heavy], Is.GreaterThan(profile.ModelSeconds / 2));
        Assert.That(profile.UnattributedShare, Is.Zero.Within(1e-9));
        Assert.That(progress.Value, Is.EqualTo(1));
    }

    [Test]
    public async Task ProfileAsync_fused_and_reordered_operators_find_their_layers([Values("bert-tiny", "mobilenetv2")] string name)
    {
        using var folder = new TemporaryFolder();
        ZooEntry entry = Zoo.Get(name);
        entry.Write(Path.Combine(folder.Path, "model.onnx"));
        using OnnxModel model = OnnxModel.Open(Path.Combine(folder.Path, "model.onnx"));

        LayerProfile profile = await new LayerProfiler(OneThread(), Short).ProfileAsync(model, entry.CreateInputs(), null, CancellationToken.None);

        Assert.That(profile.UnattributedShare, Is.LessThan(0.001));
        Assert.That(profile.LayerSeconds, Has.Length.EqualTo(model.Graph.Layers.Length));
        // Each layer that multiplies matrices or convolves does so in an operator of its own, whatever is fused around it.
        Assert.That(model.Graph.Layers.Where(static layer => layer.FloatOperations > 5e6).Select(layer => profile.LayerSeconds[layer.Index]), Is.All.GreaterThan(0));
    }

    [Test]
    public async Task ProfileAsync_again_takes_the_figures_from_the_cache()
    {
        using var folder = new TemporaryFolder();
        using OnnxModel model = Open(folder, LightHeavyLight());
        LayerProfilerOptions options = Short with { CacheFolder = Path.Combine(folder.Path, "cache") };

        LayerProfile first = await new LayerProfiler(OneThread(), options).ProfileAsync(model, null, null, CancellationToken.None);
        LayerProfile again = await new LayerProfiler(OneThread(), options).ProfileAsync(model, null, null, CancellationToken.None);
        LayerProfile unoptimized = await new LayerProfiler(OneThread(GraphOptimization.Off), options).ProfileAsync(model, null, null, CancellationToken.None);

        Assert.That(again.LayerSeconds, Is.EqualTo(first.LayerSeconds));
        Assert.That(unoptimized.LayerSeconds, Is.Not.EqualTo(first.LayerSeconds));
        Assert.That(Directory.GetFiles(options.CacheFolder!), Has.Length.EqualTo(2));
    }

    [Test]
    public async Task ProfileAsync_damaged_cache_is_measured_anew()
    {
        using var folder = new TemporaryFolder();
        using OnnxModel model = Open(folder, LightHeavyLight());
        LayerProfilerOptions options = Short with { CacheFolder = Path.Combine(folder.Path, "cache") };
        await new LayerProfiler(OneThread(), options).ProfileAsync(model, null, null, CancellationToken.None);
        string file = Directory.GetFiles(options.CacheFolder!).Single();
        await File.WriteAllTextAsync(file, "{\"format\":");

        LayerProfile profile = await new LayerProfiler(OneThread(), options).ProfileAsync(model, null, null, CancellationToken.None);

        Assert.That(profile.ModelSeconds, Is.Positive);
        Assert.That(await File.ReadAllTextAsync(file), Does.Contain("layerSeconds"));
    }

    [Test]
    public async Task ProfileAsync_cancelled_stops()
    {
        using var folder = new TemporaryFolder();
        using OnnxModel model = Open(folder, LightHeavyLight());
        using var cancellation = new CancellationTokenSource();
        var progress = new LastProgress { OnReport = cancellation.Cancel };
        var profiler = new LayerProfiler(OneThread(), new LayerProfilerOptions { Duration = TimeSpan.FromMinutes(10) });

        await Assert.CatchAsync<OperationCanceledException>(async () => await profiler.ProfileAsync(model, null, progress, cancellation.Token));
    }

    [Test]
    public async Task MeasureAsync_parts_run_with_what_the_parts_before_them_made()
    {
        using var folder = new TemporaryFolder();
        using OnnxModel model = Open(folder, LightHeavyLight());
        var blobs = new FolderBlobStore(Path.Combine(folder.Path, "blobs"));
        List<ModelPartition> parts = [.. model.Graph.Layers.Select(layer => model.Extract([layer.Index]))];
        foreach (BlobReference blob in parts.SelectMany(static part => part.Blobs).Distinct())
        {
            await using Stream content = await model.OpenBlobAsync(blob.Hash, CancellationToken.None);
            await blobs.AddAsync(blob, content, CancellationToken.None);
        }
        IReadOnlyDictionary<string, Tensor> inputs = RandomTensors.ForInputs(model.Inputs);

        ImmutableArray<TimeSpan> times = await PartitionTimes.MeasureAsync(OneThread(), parts, blobs.Folder, inputs, TimeSpan.FromMilliseconds(100), CancellationToken.None);

        int heavy = model.Graph.Layers.Single(static layer => layer.Kind.Contains("MatMul", StringComparison.Ordinal)).Index;
        Assert.That(times, Has.Length.EqualTo(parts.Count));
        Assert.That(times[heavy], Is.EqualTo(times.Max()));
        Assert.That(
            async () => await PartitionTimes.MeasureAsync(OneThread(), parts.Skip(1).ToList(), blobs.Folder, inputs, TimeSpan.FromMilliseconds(1), CancellationToken.None),
            Throws.InstanceOf<EdgeSplitException>().With.Message.Contains("Nothing makes"));
    }

    private static OnnxModel Open(TemporaryFolder folder, ModelProto model)
    {
        string path = Path.Combine(folder.Path, "model.onnx");
        File.WriteAllBytes(path, model.ToByteArray());
        return OnnxModel.Open(path);
    }

    private static ModelProto LightHeavyLight() => Model(
        [Node("Sigmoid", ["x"], ["a"]), Node("MatMul", ["a", "w"], ["b"]), Node("Softmax", ["b"], ["y"])],
        [Value("x", TensorElementType.Float, "64", "512")],
        [Value("y", TensorElementType.Float, "64", "512")],
        RandomWeight("w", 1, 512, 512));

    private sealed class LastProgress : IProgress<double>
    {
        public double Value { get; private set; }

        public Action? OnReport { get; init; }

        public void Report(double value)
        {
            Value = value;
            OnReport?.Invoke();
        }
    }
}
