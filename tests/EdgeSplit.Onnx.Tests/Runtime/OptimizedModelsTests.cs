using EdgeSplit.Agents;
using EdgeSplit.Models;
using EdgeSplit.ModelZoo;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Onnx.Tests.Splitting;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;
using EdgeSplit.Tests;

namespace EdgeSplit.Onnx.Tests.Runtime;

/// <summary>Partitions that are kept as ONNX Runtime has rewritten them.</summary>
public sealed class OptimizedModelsTests
{
    [TestCase("mobilenetv2")]
    [TestCase("bert-tiny")]
    [TestCase("gpt-mini")]
    public async Task Load_again_needs_nothing_of_the_partition_and_gives_the_same_bits(string name)
    {
        using var folder = new TemporaryFolder();
        (ModelPartition partition, string blobs, IReadOnlyDictionary<string, Tensor> inputs) = await ExtractAsync(name, folder);
        using OnnxPartitionRuntime plain = Partitions.OneThread(), runtime = Keeping(folder["kept"]);
        Dictionary<string, byte[]> expected = await RunAsync(plain, partition, blobs, inputs);

        Assert.That(await RunAsync(runtime, partition, blobs, inputs), Is.EqualTo(expected));
        Directory.Delete(blobs, recursive: true);
        Directory.CreateDirectory(blobs);
        Assert.That(await RunAsync(runtime, partition, blobs, inputs), Is.EqualTo(expected));
        await Assert.ThatAsync(() => RunAsync(plain, partition, blobs, inputs), Throws.InstanceOf<EdgeSplitException>());
    }

    [TestCaseSource(typeof(SweepTests), nameof(SweepTests.Models))]
    public async Task Load_any_model_gives_the_bits_of_one_that_is_not_kept(string name)
    {
        string source = TestData.Require(name);
        using var folder = new TemporaryFolder();
        string path = SweepTests.Locate(name, folder);
        ModelPartition partition;
        Dictionary<string, byte[]> expected;
        Dictionary<string, Tensor> inputs;
        using OnnxPartitionRuntime plain = Partitions.OneThread(), runtime = Keeping(folder["kept"]);
        try
        {
            using OnnxModel model = OnnxModel.Open(path);
            partition = await StoreAsync(model, folder["blobs"]);
            inputs = new(RandomTensors.ForInputs(partition.Inputs));
            string[] names = [.. model.Graph.Inputs.Select(input => model.Graph.Activations[input].Info.Name)];
            for (int i = 0; i < names.Length; i++)
            {
                string file = Path.Combine(source, "test_data_set_0", $"input_{i}.pb");
                if (inputs.ContainsKey(names[i]) && File.Exists(file))
                    inputs[names[i]] = OnnxTensorFile.Read(file);
            }
            expected = await RunAsync(plain, partition, folder["blobs"], inputs);
        }
        catch (EdgeSplitException exception)
        {
            Assert.Ignore($"It does not run: {exception.Message}");
            return;
        }
        bool isRepeatable = Same(expected, await RunAsync(plain, partition, folder["blobs"], inputs));
        for (int load = 0; load < 2; load++)
        {
            Dictionary<string, byte[]> actual = await RunAsync(runtime, partition, folder["blobs"], inputs);
            Assert.That(isRepeatable ? Same(actual, expected) : actual.Keys.Order().SequenceEqual(expected.Keys.Order()), $"load {load}");
        }
    }

    [Test]
    public async Task Load_that_requests_wait_for_keeps_nothing_and_uses_what_is_kept()
    {
        using var folder = new TemporaryFolder();
        (ModelPartition partition, string blobs, IReadOnlyDictionary<string, Tensor> inputs) = await ExtractAsync("bert-tiny", folder);
        using OnnxPartitionRuntime runtime = Keeping(folder["kept"]);
        Dictionary<string, byte[]> expected;
        using (IPartitionExecutor urgent = await runtime.LoadAsync(partition, blobs, isUrgent: true, CancellationToken.None))
            expected = Execute(urgent, inputs);
        Assert.That(Kept(), Is.Zero);
        Assert.That(await RunAsync(runtime, partition, blobs, inputs), Is.EqualTo(expected));
        Assert.That(Kept(), Is.EqualTo(1));
        Directory.Delete(blobs, recursive: true);
        Directory.CreateDirectory(blobs);
        using IPartitionExecutor again = await runtime.LoadAsync(partition, blobs, isUrgent: true, CancellationToken.None);
        Assert.That(Execute(again, inputs), Is.EqualTo(expected));

        int Kept() => Directory.Exists(folder["kept"]) ? Directory.EnumerateFiles(folder["kept"], "weights", SearchOption.AllDirectories).Count() : 0;
    }

    [Test]
    public async Task Dispose_deletes_what_is_kept_and_leaves_executors_usable()
    {
        using var folder = new TemporaryFolder();
        (ModelPartition partition, string blobs, IReadOnlyDictionary<string, Tensor> inputs) = await ExtractAsync("bert-tiny", folder);
        OnnxPartitionRuntime runtime = Keeping(folder["kept"]);
        using IPartitionExecutor executor = await runtime.LoadAsync(partition, blobs, isUrgent: false, CancellationToken.None);
        Dictionary<string, byte[]> expected = Execute(executor, inputs);
        Assert.That(Directory.EnumerateFiles(folder["kept"], "weights", SearchOption.AllDirectories).Count(), Is.EqualTo(1));

        runtime.Dispose();

        Assert.That(Directory.EnumerateFileSystemEntries(folder["kept"]), Is.Empty);
        Assert.That(Execute(executor, inputs), Is.EqualTo(expected));
        Assert.That(await RunAsync(runtime, partition, blobs, inputs), Is.EqualTo(expected));
        Assert.That(Directory.EnumerateFileSystemEntries(folder["kept"]), Is.Empty);
    }

    [Test]
    public async Task Load_beyond_the_limit_removes_what_was_used_least_recently()
    {
        using var folder = new TemporaryFolder();
        (ModelPartition bert, string blobs, IReadOnlyDictionary<string, Tensor> bertInputs) = await ExtractAsync("bert-tiny", folder);
        (ModelPartition gpt, _, IReadOnlyDictionary<string, Tensor> gptInputs) = await ExtractAsync("gpt-mini", folder);
        long limit;
        long Kept() => Directory.EnumerateFiles(folder["kept"], "*", SearchOption.AllDirectories).Sum(static file => new FileInfo(file).Length);
        using (OnnxPartitionRuntime unlimited = Keeping(folder["kept"]))
        {
            await RunAsync(unlimited, gpt, blobs, gptInputs);
            limit = Kept();
        }
        using OnnxPartitionRuntime runtime = Keeping(folder["kept"], limit);
        await RunAsync(runtime, bert, blobs, bertInputs);
        long ofBert = Kept();
        Assert.That(ofBert, Is.InRange(bert.WeightBytes / 2, limit - 1));
        await RunAsync(runtime, gpt, blobs, gptInputs);
        Assert.That(Kept(), Is.EqualTo(limit));
        await RunAsync(runtime, bert, blobs, bertInputs);
        Assert.That(Kept(), Is.EqualTo(ofBert));
    }

    [Test]
    public async Task Load_where_nothing_can_be_kept_or_what_was_kept_is_damaged_loads_the_partition()
    {
        using var folder = new TemporaryFolder();
        (ModelPartition partition, string blobs, IReadOnlyDictionary<string, Tensor> inputs) = await ExtractAsync("bert-tiny", folder);
        File.WriteAllText(folder["file"], "");
        using OnnxPartitionRuntime plain = Partitions.OneThread(), runtime = Keeping(folder["kept"]), nowhere = Keeping(folder["file"]);
        Dictionary<string, byte[]> expected = await RunAsync(plain, partition, blobs, inputs);
        Assert.That(await RunAsync(nowhere, partition, blobs, inputs), Is.EqualTo(expected));

        await RunAsync(runtime, partition, blobs, inputs);
        string graph = Directory.EnumerateFiles(folder["kept"], "model.onnx", SearchOption.AllDirectories).Single();
        File.WriteAllText(graph, "damaged");
        Assert.That(await RunAsync(runtime, partition, blobs, inputs), Is.EqualTo(expected));
        // What was damaged is gone, and was made anew.
        Assert.That(new FileInfo(Directory.EnumerateFiles(folder["kept"], "model.onnx", SearchOption.AllDirectories).Single()).Length, Is.GreaterThan(100));
    }

    private static OnnxPartitionRuntime Keeping(string folder, long limitBytes = 1 << 30) =>
        new(new OnnxRuntimeOptions { IntraOpThreads = 1, OptimizedModelFolder = folder, OptimizedModelLimitBytes = limitBytes });

    private static bool Same(Dictionary<string, byte[]> left, Dictionary<string, byte[]> right) =>
        left.Count == right.Count && left.All(pair => right.TryGetValue(pair.Key, out byte[]? bytes) && pair.Value.AsSpan().SequenceEqual(bytes));

    private static async Task<(ModelPartition Partition, string Blobs, IReadOnlyDictionary<string, Tensor> Inputs)> ExtractAsync(string name, TemporaryFolder folder)
    {
        ZooEntry entry = Zoo.Get(name);
        entry.Write(folder[$"{name}.onnx"]);
        using OnnxModel model = OnnxModel.Open(folder[$"{name}.onnx"], new OnnxModelOptions { FreeDimensions = entry.TypicalDimensions });
        return (await StoreAsync(model, folder["blobs"]), folder["blobs"], entry.CreateInputs());
    }

    /// <summary>The whole model as one partition, its weights in a folder.</summary>
    private static async Task<ModelPartition> StoreAsync(OnnxModel model, string blobs)
    {
        var store = new FolderBlobStore(blobs);
        ModelPartition partition = model.Extract([.. model.Graph.Layers.Select(static layer => layer.Index)]);
        foreach (BlobReference blob in partition.Blobs)
            await store.FetchAsync(blob, model, CancellationToken.None);
        return partition;
    }

    private static async Task<Dictionary<string, byte[]>> RunAsync(
        OnnxPartitionRuntime runtime, ModelPartition partition, string blobs, IReadOnlyDictionary<string, Tensor> inputs)
    {
        using IPartitionExecutor executor = await runtime.LoadAsync(partition, blobs, isUrgent: false, CancellationToken.None);
        return Execute(executor, inputs);
    }

    private static Dictionary<string, byte[]> Execute(IPartitionExecutor executor, IReadOnlyDictionary<string, Tensor> inputs)
    {
        var outputs = new Dictionary<string, byte[]>();
        foreach ((string name, Tensor output) in executor.Execute(inputs, CancellationToken.None))
        {
            using (output)
                outputs.Add(name, output.ElementType == TensorElementType.String ? System.Text.Encoding.UTF8.GetBytes(string.Join('\0', output.Strings.ToArray())) : output.Bytes.ToArray());
        }
        return outputs;
    }
}
