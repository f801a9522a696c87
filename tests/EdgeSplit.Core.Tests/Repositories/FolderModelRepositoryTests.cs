using System.Diagnostics;
using EdgeSplit.Coordination;
using EdgeSplit.Repositories;
using EdgeSplit.Testing.Conformance;
using EdgeSplit.Testing.Fakes;
using EdgeSplit.Tests.Coordination;

namespace EdgeSplit.Tests.Repositories;

public sealed class FolderModelRepositoryTests : ModelRepositoryConformance
{
    private readonly TemporaryFolder _folder = new();

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    protected override async ValueTask<IModelRepository> OpenAsync() => await FolderModelRepository.OpenAsync(_folder["repository"]);

    [Test]
    public async Task Open_deletes_what_nothing_refers_to()
    {
        await OpenAsync();
        string root = _folder["repository"];
        Directory.CreateDirectory(Path.Combine(root, "models", "half", "0123", "files"));
        File.WriteAllText(Path.Combine(root, "models", "half", "0123", "files", "model.onnx.4567.tmp"), "hal");
        File.WriteAllText(Path.Combine(root, "blobs", new string('a', 64)), "orphan");
        await OpenAsync();
        Assert.That(Directory.GetFileSystemEntries(Path.Combine(root, "models")), Is.Empty);
        Assert.That(Directory.GetFiles(Path.Combine(root, "blobs")), Is.Empty);
    }

    [Test]
    public async Task Open_in_a_place_that_is_no_folder_says_so()
    {
        File.WriteAllText(_folder["file"], "");
        EdgeSplitException exception = await ErrorAssert.FailsWithAsync(EdgeSplitError.InvalidArgument, () => FolderModelRepository.OpenAsync(_folder["file"]).AsTask());
        Assert.That(exception.Message, Does.Contain(_folder["file"]));
    }

    [Test]
    public async Task List_leaves_out_folders_that_are_no_models_and_they_stay()
    {
        string foreign = Path.Combine(_folder["repository"], "models", "old models (keep)");
        Directory.CreateDirectory(Path.Combine(foreign, "inside"));
        IModelRepository repository = await OpenAsync();
        File.WriteAllText(_folder["model.onnx"], "the model");
        await repository.AddModelAsync("m", _folder["model.onnx"], [], default);
        Assert.That(await repository.ListModelsAsync(default).Select(static model => model.Name).ToArrayAsync(), Is.EqualTo(["m"]));
        Assert.That(await repository.ListDeploymentsAsync(default).CountAsync(), Is.Zero);
        Assert.That(Directory.Exists(Path.Combine(foreign, "inside")));
    }

    [Test]
    public async Task Open_with_a_damaged_manifest_keeps_everything_and_tells_when_asked_for_it()
    {
        IModelRepository repository = await OpenAsync();
        FakeModel model = FakeModelBuilder.Chain("m", 1);
        File.WriteAllText(_folder["model.onnx"], "the model");
        await repository.AddModelAsync("m", _folder["model.onnx"], [], default);
        await repository.AddPartitionAsync("m", model.Whole, model, default);
        File.WriteAllText(_folder["repository", "models", "m", "model.json"], "{");
        repository = await OpenAsync();
        Assert.That(repository.Blobs.Contains(model.Whole.Blobs[0]));
        EdgeSplitException exception = await ErrorAssert.FailsWithAsync(EdgeSplitError.InvalidModel, () => repository.GetModelAsync("m", default).AsTask());
        Assert.That(exception.Message, Does.Contain("model.json"));
    }

    [Test]
    public async Task Deploy_with_a_repository_stores_the_model_and_deploys_it_again_by_name()
    {
        IModelRepository repository = await OpenAsync();
        FakeModel model = FakeModelBuilder.Chain("stored model", 4);
        model.Save(_folder["stored model.json"]);
        await using Cluster cluster = await Cluster.CreateAsync(model, options: Cluster.Defaults with { Repository = repository });
        Deployment first = await cluster.Coordinator.DeployAsync(_folder["stored model.json"]);
        Assert.That(first.Name, Is.EqualTo("stored-model"));
        foreach (int stage in Enumerable.Range(0, first.Plan.Stages.Length))
            await repository.GetPartitionAsync("stored-model", model.Extract(first.Plan.Stages[stage].Layers).Id, default);
        await first.DisposeAsync();
        File.Delete(_folder["stored model.json"]);
        Deployment second = await cluster.Coordinator.DeployAsync("stored-model");
        using FinalResult result = await second.InferAsync(model.RandomInputs(0));
        TensorAssert.AreIdentical(result.Outputs, model.Run(model.RandomInputs(0)));

        string gone = _folder["stored model.json"];
        EdgeSplitException exception = await ErrorAssert.FailsWithAsync(EdgeSplitError.NotFound, () => cluster.Coordinator.DeployAsync(gone).AsTask());
        Assert.That(exception.Message, Does.Contain(gone));
    }

    [TestCase(12)]
    [TestCase(1000, Explicit = true, Reason = "Takes minutes.")]
    public async Task Kill_at_any_moment_leaves_everything_that_was_acknowledged(int kills)
    {
        var random = new Random(1);
        var acknowledged = new HashSet<string>();
        FakeModel model = CrashingWriter.Model;
        for (int kill = 0; kill < kills; kill++)
        {
            using (Process writer = CrashingWriter.Start(_folder["repository"], _folder["source"], kill))
            {
                int lines = random.Next(1, 12);
                for (int i = 0; i < lines; i++)
                    acknowledged.Apply(await writer.StandardOutput.ReadLineAsync());
                Thread.SpinWait(random.Next(200_000));
                writer.Kill();
                while (await writer.StandardOutput.ReadLineAsync() is { } line)
                    acknowledged.Apply(line);
                await writer.WaitForExitAsync();
            }
            IModelRepository repository = await OpenAsync();
            var deployed = new HashSet<string>();
            await foreach (StoredDeployment deployment in repository.ListDeploymentsAsync(default))
                deployed.Add(deployment.ModelName);
            foreach (string item in acknowledged)
            {
                string[] parts = item.Split(' ');
                StoredModel stored = await repository.GetModelAsync(parts[0], default);
                Assert.That(File.Exists(stored.Path));
                if (parts.Length == 1)
                    continue;
                if (parts[1] == "deployed")
                {
                    Assert.That(deployed, Does.Contain(parts[0]));
                    continue;
                }
                await repository.GetPartitionAsync(parts[0], parts[1], default);
                foreach (EdgeSplit.Storage.BlobReference blob in (await repository.GetPartitionAsync(parts[0], parts[1], default)).Blobs)
                {
                    await using Stream content = await repository.Blobs.OpenBlobAsync(blob.Hash, default);
                    var copy = new MemoryStream();
                    await content.CopyToAsync(copy);
                    Assert.That(EdgeSplit.Storage.ContentHash.Of(copy.ToArray()), Is.EqualTo(blob.Hash));
                }
            }
            Assert.That(Directory.GetFiles(_folder["repository"], "*.tmp", SearchOption.AllDirectories), Is.Empty);
        }
        Assert.That(acknowledged, Is.Not.Empty);
    }
}
