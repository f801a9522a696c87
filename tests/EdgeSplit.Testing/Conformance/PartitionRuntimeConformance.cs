using EdgeSplit.Agents;
using EdgeSplit.Devices;
using EdgeSplit.Models;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;

namespace EdgeSplit.Testing.Conformance;

/// <summary>What every <see cref="IPartitionRuntime"/> must do. A fixture inherits it and gives a model that the runtime understands.</summary>
public abstract class PartitionRuntimeConformance
{
    private readonly string _folder = Directory.CreateTempSubdirectory("edgesplit-runtime-").FullName;

    /// <summary>Makes the runtime.</summary>
    protected abstract IPartitionRuntime CreateRuntime();

    /// <summary>Opens a model with at least one input, one weight and two layers, the same each time.</summary>
    protected abstract ValueTask<ISplittableModel> OpenModelAsync();

    /// <summary>Makes inputs of the model; other seeds give other results.</summary>
    protected abstract IReadOnlyDictionary<string, Tensor> CreateInputs(int seed);

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task Calibrate_finds_rates_above_zero()
    {
        IPartitionRuntime runtime = CreateRuntime();
        Device device = await runtime.CalibrateAsync(default);
        Assert.Multiple(() =>
        {
            Assert.That(runtime.Name, Is.Not.Empty);
            Assert.That(runtime.ExecutionProvider, Is.Not.Empty);
            Assert.That(device.FlopsPerSecond, Is.Positive.And.LessThan(double.PositiveInfinity));
            Assert.That(device.MemoryBytesPerSecond, Is.Positive.And.LessThan(double.PositiveInfinity));
            Assert.That(device.Origin, Is.EqualTo(CostOrigin.Calibrated));
        });
    }

    [Test]
    public async Task Execute_gives_the_partitions_outputs_as_tensors_of_the_callers()
    {
        using ISplittableModel model = await OpenModelAsync();
        ModelPartition partition = Whole(model);
        IReadOnlyDictionary<string, Tensor> outputs;
        using (IPartitionExecutor executor = await LoadAsync(model, partition))
            outputs = executor.Execute(CreateInputs(0), default);
        // They outlive the executor.
        Assert.That(outputs.Keys, Is.EquivalentTo(partition.Outputs.Select(static output => output.Name)));
        foreach (TensorInfo output in partition.Outputs)
        {
            Assert.That(outputs[output.Name].ElementType, Is.EqualTo(output.ElementType));
            Assert.That(outputs[output.Name].Bytes.Length, Is.EqualTo(outputs[output.Name].ByteCount));
            outputs[output.Name].Dispose();
        }
    }

    [Test]
    public async Task Execute_by_many_at_once_gives_each_its_own_result()
    {
        using ISplittableModel model = await OpenModelAsync();
        using IPartitionExecutor executor = await LoadAsync(model, Whole(model));
        IReadOnlyDictionary<string, Tensor>[] expected = [.. Enumerable.Range(0, 4).Select(seed => executor.Execute(CreateInputs(seed), default))];
        Parallel.For(0, 24, run => TensorAssert.AreIdentical(executor.Execute(CreateInputs(run % 4), default), expected[run % 4]));
    }

    [Test]
    public async Task Execute_part_after_part_gives_what_the_whole_gives()
    {
        using ISplittableModel model = await OpenModelAsync();
        using IPartitionExecutor whole = await LoadAsync(model, Whole(model));
        IReadOnlyDictionary<string, Tensor> inputs = CreateInputs(1);
        IReadOnlyDictionary<string, Tensor> expected = whole.Execute(inputs, default);
        var values = new Dictionary<string, Tensor>(inputs);
        for (int layer = 0; layer < model.Graph.Layers.Length; layer++)
        {
            ModelPartition part = model.Extract([layer]);
            using IPartitionExecutor executor = await LoadAsync(model, part);
            foreach ((string name, Tensor tensor) in executor.Execute(part.Inputs.ToDictionary(static input => input.Name, input => values[input.Name]), default))
                values[name] = tensor;
        }
        TensorAssert.AreIdentical(expected.Keys.ToDictionary(static name => name, name => values[name]), expected);
    }

    [Test]
    public async Task Execute_with_wrong_inputs_fails()
    {
        using ISplittableModel model = await OpenModelAsync();
        using IPartitionExecutor executor = await LoadAsync(model, Whole(model));
        string first = model.Inputs[0].Name;
        Fails(new Dictionary<string, Tensor>());
        Fails(new Dictionary<string, Tensor>(CreateInputs(0)) { [first] = Tensor.Create<ulong>([1, 2, 3], new TensorShape(3)) });

        void Fails(IReadOnlyDictionary<string, Tensor> inputs)
        {
            EdgeSplitException exception = Assert.Throws<EdgeSplitException>(() => executor.Execute(inputs, default))!;
            Assert.That(exception.Error, Is.EqualTo(EdgeSplitError.InvalidInput));
            Assert.That(exception.Message, Does.Contain(first));
        }
    }

    [Test]
    public async Task Execute_that_is_cancelled_already_does_not_run()
    {
        using ISplittableModel model = await OpenModelAsync();
        using IPartitionExecutor executor = await LoadAsync(model, Whole(model));
        Assert.Catch<OperationCanceledException>(() => executor.Execute(CreateInputs(0), new CancellationToken(canceled: true)));
    }

    [Test]
    public async Task Load_of_something_that_is_no_model_fails()
    {
        using ISplittableModel model = await OpenModelAsync();
        ModelPartition nonsense = Whole(model) with { Skeleton = "nonsense"u8.ToArray() };
        await ErrorAssert.FailsWithAsync(EdgeSplitError.InvalidModel, () => LoadAsync(model, nonsense));
    }

    private static ModelPartition Whole(ISplittableModel model) => model.Extract([.. model.Graph.Layers.Select(static layer => layer.Index)]);

    private async Task<IPartitionExecutor> LoadAsync(ISplittableModel model, ModelPartition partition)
    {
        var store = new FolderBlobStore(_folder);
        foreach (BlobReference blob in partition.Blobs)
        {
            await using Stream content = await model.OpenBlobAsync(blob.Hash, default);
            await store.AddAsync(blob, content, default);
        }
        return await CreateRuntime().LoadAsync(partition, store.Folder, isUrgent: false, default);
    }
}
