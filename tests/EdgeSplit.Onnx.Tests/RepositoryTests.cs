using EdgeSplit.Models;
using EdgeSplit.Onnx;
using EdgeSplit.Repositories;
using EdgeSplit.Storage;

namespace EdgeSplit.Tests;

public sealed class RepositoryTests
{
    [TestCase("burn-multi-external-files", 2)]
    [TestCase("rten-mnist-external", 1)]
    public async Task AddModel_with_external_data_gives_a_model_that_opens_from_the_repository(string model, int externalFiles)
    {
        string path = Directory.GetFiles(TestData.Require("models", model), "*.onnx").Single();
        using var folder = new TemporaryFolder();
        FolderModelRepository repository = await FolderModelRepository.OpenAsync(folder.Path);
        using OnnxModel original = OnnxModel.Open(path);
        Assert.That(original.ExternalFiles, Has.Length.EqualTo(externalFiles));
        StoredModel stored = await repository.AddModelAsync(model, path, original.ExternalFiles, default);

        using OnnxModel copy = OnnxModel.Open(stored.Path);
        ModelPartition whole = copy.Extract([.. copy.Graph.Layers.Select(static layer => layer.Index)]);
        Assert.That(whole.Id, Is.EqualTo(original.Extract([.. original.Graph.Layers.Select(static layer => layer.Index)]).Id));
        await repository.AddPartitionAsync(model, whole, copy, default);
        Assert.That(whole.Blobs, Has.All.Matches<BlobReference>(repository.Blobs.Contains));
    }
}
