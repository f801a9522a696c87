using System.Collections.Immutable;
using EdgeSplit.Models;
using EdgeSplit.Repositories;
using EdgeSplit.Storage;
using EdgeSplit.Testing.Fakes;

namespace EdgeSplit.Testing.Conformance;

/// <summary>What every <see cref="IModelRepository"/> must do. A fixture inherits it and makes the repository.</summary>
public abstract class ModelRepositoryConformance
{
    private static readonly FakeModel Model = FakeModelBuilder.Chain("m", 4);
    private readonly string _source = Directory.CreateTempSubdirectory("edgesplit-source-").FullName;

    /// <summary>Opens the repository: an empty one at first, then the same again, as after the end of the process.</summary>
    protected abstract ValueTask<IModelRepository> OpenAsync();

    [TearDown]
    public void DeleteSource() => Directory.Delete(_source, recursive: true);

    [Test]
    public async Task AddModel_then_get_gives_the_file_and_its_hash()
    {
        IModelRepository repository = await OpenAsync();
        StoredModel added = await repository.AddModelAsync("resnet-18_v1.2", Write("model.onnx", "the model"), [], default);
        StoredModel stored = await (await OpenAsync()).GetModelAsync("resnet-18_v1.2", default);
        Assert.That(stored, Is.EqualTo(added));
        Assert.That(stored.Hash, Is.EqualTo(ContentHash.Of("the model"u8)));
        Assert.That(File.ReadAllText(stored.Path), Is.EqualTo("the model"));
        Assert.That(Path.GetFileName(stored.Path), Is.EqualTo("model.onnx"));
    }

    [Test]
    public async Task AddModel_copies_the_files_that_it_refers_to()
    {
        IModelRepository repository = await OpenAsync();
        Write("weights.bin", "beside");
        Write(Path.Combine("data", "more", "weights.bin"), "below");
        StoredModel stored = await repository.AddModelAsync("m", Write("model.onnx", "the model"), ["weights.bin", "data/more/weights.bin"], default);
        Directory.Delete(_source, recursive: true);
        Directory.CreateDirectory(_source);
        string folder = Path.GetDirectoryName(stored.Path)!;
        Assert.That(File.ReadAllText(Path.Combine(folder, "weights.bin")), Is.EqualTo("beside"));
        Assert.That(File.ReadAllText(Path.Combine(folder, "data", "more", "weights.bin")), Is.EqualTo("below"));
    }

    [Test]
    public async Task AddModel_of_a_name_that_is_there_replaces_it_and_its_partitions()
    {
        IModelRepository repository = await OpenAsync();
        await repository.AddModelAsync("m", Write("one.onnx", "one"), [], default);
        await repository.AddPartitionAsync("m", Model.Whole, Model, default);
        StoredModel second = await repository.AddModelAsync("m", Write("two.onnx", "two"), [], default);
        Assert.That(await NamesAsync(repository), Is.EqualTo(new[] { "m" }));
        Assert.That(File.ReadAllText((await repository.GetModelAsync("m", default)).Path), Is.EqualTo("two"));
        Assert.That(await repository.GetModelAsync("m", default), Is.EqualTo(second));
        await ErrorAssert.FailsWithAsync(EdgeSplitError.NotFound, () => repository.GetPartitionAsync("m", Model.Whole.Id, default).AsTask());
    }

    [Test]
    public async Task AddModel_of_the_same_content_keeps_its_partitions()
    {
        IModelRepository repository = await OpenAsync();
        string path = Write("one.onnx", "one");
        StoredModel first = await repository.AddModelAsync("m", path, [], default);
        await repository.AddPartitionAsync("m", Model.Whole, Model, default);
        Assert.That(await repository.AddModelAsync("m", path, [], default), Is.EqualTo(first));
        Assert.That((await repository.GetPartitionAsync("m", Model.Whole.Id, default)).Id, Is.EqualTo(Model.Whole.Id));
    }

    [TestCase("")]
    [TestCase(".")]
    [TestCase("..")]
    [TestCase("../m")]
    [TestCase("a/b")]
    [TestCase("a\\b")]
    [TestCase("/etc")]
    [TestCase("a b")]
    [TestCase("nul\0")]
    public async Task AddModel_of_a_name_that_plays_tricks_is_refused(string name)
    {
        IModelRepository repository = await OpenAsync();
        string path = Write("model.onnx", "the model");
        await ErrorAssert.FailsWithAsync(EdgeSplitError.InvalidArgument, () => repository.AddModelAsync(name, path, [], default).AsTask());
        await ErrorAssert.FailsWithAsync(EdgeSplitError.InvalidArgument, () => repository.GetModelAsync(name, default).AsTask());
        await ErrorAssert.FailsWithAsync(EdgeSplitError.InvalidArgument, () => repository.RemoveModelAsync(name, default).AsTask());
        Assert.That(await NamesAsync(repository), Is.Empty);
    }

    [TestCase("../outside.bin")]
    [TestCase("data/../../outside.bin")]
    [TestCase("/etc/hostname")]
    public async Task AddModel_that_refers_to_files_outside_its_folder_is_refused(string external)
    {
        IModelRepository repository = await OpenAsync();
        string path = Write(Path.Combine("inner", "model.onnx"), "the model");
        Write("outside.bin", "secret");
        await ErrorAssert.FailsWithAsync(EdgeSplitError.InvalidArgument, () => repository.AddModelAsync("m", path, [external], default).AsTask());
    }

    [Test]
    public async Task AddModel_of_files_that_are_not_there_fails_and_leaves_nothing()
    {
        IModelRepository repository = await OpenAsync();
        string path = Write("model.onnx", "the model");
        await ErrorAssert.FailsWithAsync(EdgeSplitError.NotFound, () => repository.AddModelAsync("m", path + "x", [], default).AsTask());
        EdgeSplitException exception = await ErrorAssert.FailsWithAsync(EdgeSplitError.NotFound, () => repository.AddModelAsync("m", path, ["gone.bin"], default).AsTask());
        Assert.That(exception.Message, Does.Contain("gone.bin"));
        Assert.That(await NamesAsync(repository), Is.Empty);
    }

    [Test]
    public async Task AddPartition_then_get_gives_all_of_it()
    {
        IModelRepository repository = await OpenAsync();
        FakeModel model = new FakeModelBuilder("m").Input("x", -1, 3).Mix("a", ["x"], "y").Output("y").Build();
        ModelPartition partition = model.Whole;
        partition = partition with { Outputs = [partition.Outputs[0] with { Dimensions = default }] };
        await repository.AddModelAsync("m", Write("model.onnx", "the model"), [], default);
        await repository.AddPartitionAsync("m", partition, model, default);
        repository = await OpenAsync();
        ModelPartition stored = await repository.GetPartitionAsync("m", partition.Id, default);
        Assert.Multiple(() =>
        {
            Assert.That(stored.Skeleton.ToArray(), Is.EqualTo(partition.Skeleton.ToArray()));
            Assert.That(stored.Blobs, Is.EqualTo(partition.Blobs));
            Assert.That(stored.Inputs.Select(static input => input.ToString()), Is.EqualTo(partition.Inputs.Select(static input => input.ToString())));
            Assert.That(stored.Inputs[0].Dimensions, Is.EqualTo(partition.Inputs[0].Dimensions));
            Assert.That(stored.Outputs[0].Dimensions.IsDefault);
            Assert.That(partition.Blobs, Has.All.Matches<BlobReference>(blob => repository.Blobs.Contains(blob)));
        });
    }

    [Test]
    public async Task AddPartition_whose_weight_is_damaged_fails_and_is_not_there()
    {
        IModelRepository repository = await OpenAsync();
        await repository.AddModelAsync("m", Write("model.onnx", "the model"), [], default);
        FakeModel damaged = FakeModelBuilder.Chain("m", 4);
        ModelPartition partition = damaged.Whole;
        damaged.Weights[partition.Blobs[1].Hash] = new byte[partition.Blobs[1].ByteCount];
        await ErrorAssert.FailsWithAsync(EdgeSplitError.IntegrityFailure, () => repository.AddPartitionAsync("m", partition, damaged, default).AsTask());
        await ErrorAssert.FailsWithAsync(EdgeSplitError.NotFound, () => repository.GetPartitionAsync("m", partition.Id, default).AsTask());
    }

    [Test]
    public async Task AddPartition_of_an_unknown_model_fails()
    {
        IModelRepository repository = await OpenAsync();
        await ErrorAssert.FailsWithAsync(EdgeSplitError.NotFound, () => repository.AddPartitionAsync("m", Model.Whole, Model, default).AsTask());
    }

    [Test]
    public async Task SetDeployment_is_found_again_until_it_or_its_model_is_removed()
    {
        IModelRepository repository = await OpenAsync();
        await repository.AddModelAsync("m", Write("one.onnx", "one"), [], default);
        await repository.AddModelAsync("n", Write("two.onnx", "two"), [], default);
        var first = new StoredDeployment("m", ImmutableSortedDictionary<string, string>.Empty.Add("layer", "a"));
        StoredDeployment second = first with
        {
            Assignment = first.Assignment.SetItem("layer", "b"),
            RequestsPerSecond = 2.5,
            MeasuredLayerSeconds = ImmutableSortedDictionary<string, ImmutableArray<double>>.Empty.Add("b", [0.001]),
        };
        await repository.SetDeploymentAsync(first, default);
        await repository.SetDeploymentAsync(second, default);
        await repository.SetDeploymentAsync(first with { ModelName = "n" }, default);
        repository = await OpenAsync();
        StoredDeployment[] stored = await DeploymentsAsync(repository);
        Assert.That(stored.Select(static deployment => deployment.ModelName), Is.EqualTo(new[] { "m", "n" }));
        Assert.That(stored[0].Assignment, Is.EqualTo(second.Assignment));
        Assert.That(stored[0].RequestsPerSecond, Is.EqualTo(2.5));
        Assert.That(stored[0].MeasuredLayerSeconds["b"], Is.EqualTo(new[] { 0.001 }));

        await repository.RemoveDeploymentAsync("m", default);
        await repository.RemoveModelAsync("n", default);
        await repository.RemoveDeploymentAsync("n", default);
        await repository.AddModelAsync("n", Write("two.onnx", "two"), [], default);
        Assert.That(await DeploymentsAsync(await OpenAsync()), Is.Empty);
    }

    [Test]
    public async Task SetDeployment_of_an_unknown_model_fails()
    {
        IModelRepository repository = await OpenAsync();
        await ErrorAssert.FailsWithAsync(
            EdgeSplitError.NotFound, () => repository.SetDeploymentAsync(new StoredDeployment("m", ImmutableSortedDictionary<string, string>.Empty), default).AsTask());
    }

    [Test]
    public async Task RemoveModel_takes_the_weights_that_no_other_model_needs()
    {
        IModelRepository repository = await OpenAsync();
        ModelPartition front = Model.Extract([0, 1]), back = Model.Extract([1, 2]);
        await repository.AddModelAsync("first", Write("one.onnx", "one"), [], default);
        await repository.AddModelAsync("second", Write("two.onnx", "two"), [], default);
        await repository.AddPartitionAsync("first", front, Model, default);
        await repository.AddPartitionAsync("second", back, Model, default);
        await repository.RemoveModelAsync("first", default);
        Assert.That(await NamesAsync(repository), Is.EqualTo(new[] { "second" }));
        Assert.That(front.Blobs.Select(repository.Blobs.Contains), Is.EqualTo(new[] { false, true }));
        Assert.That(back.Blobs.Select(repository.Blobs.Contains), Is.EqualTo(new[] { true, true }));
        await repository.RemoveModelAsync("first", default);
        await repository.RemoveModelAsync("second", default);
        Assert.That(Directory.GetFiles(repository.Blobs.Folder), Is.Empty);
        await ErrorAssert.FailsWithAsync(EdgeSplitError.NotFound, () => repository.GetModelAsync("second", default).AsTask());
    }

    [Test]
    public async Task Add_and_remove_by_many_at_once_keep_what_was_added()
    {
        IModelRepository repository = await OpenAsync();
        string kept = Write("kept.onnx", "kept"), passing = Write("passing.onnx", "passing");
        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(async () =>
        {
            await repository.AddModelAsync($"kept{worker}", kept, [], default);
            await repository.AddPartitionAsync($"kept{worker}", Model.Extract([worker % 4]), Model, default);
            await repository.AddModelAsync($"passing{worker}", passing, [], default);
            await repository.AddPartitionAsync($"passing{worker}", Model.Whole, Model, default);
            await repository.RemoveModelAsync($"passing{worker}", default);
        })));
        repository = await OpenAsync();
        Assert.That(await NamesAsync(repository), Is.EqualTo(Enumerable.Range(0, 8).Select(static worker => $"kept{worker}")));
        Assert.That(Model.Whole.Blobs.Select(repository.Blobs.Contains), Has.All.True);
    }

    private string Write(string name, string content)
    {
        string path = Path.Combine(_source, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
        return path;
    }

    private static async Task<StoredDeployment[]> DeploymentsAsync(IModelRepository repository)
    {
        var deployments = new List<StoredDeployment>();
        await foreach (StoredDeployment deployment in repository.ListDeploymentsAsync(default))
            deployments.Add(deployment);
        return [.. deployments];
    }

    private static async Task<List<string>> NamesAsync(IModelRepository repository)
    {
        var names = new List<string>();
        await foreach (StoredModel model in repository.ListModelsAsync(default))
            names.Add(model.Name);
        return names;
    }
}
