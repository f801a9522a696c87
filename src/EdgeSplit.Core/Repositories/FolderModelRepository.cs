using System.Runtime.CompilerServices;
using System.Text.Json;
using EdgeSplit.Models;
using EdgeSplit.Repositories.Internal;
using EdgeSplit.Storage;
using EdgeSplit.Storage.Internal;

namespace EdgeSplit.Repositories;

/// <summary>A repository in a folder.</summary>
/// <remarks>
/// <para>The layout:</para>
/// <code>
/// blobs/HASH                                        weights, each once
/// models/NAME/model.json                            the sign that the model is there; names its version
/// models/NAME/deployment.json                       how the model was deployed last; there until it is no longer
/// models/NAME/VERSION/files/…                       the model file and the files that it refers to
/// models/NAME/VERSION/partitions/ID.skeleton        a partition without its weights
/// models/NAME/VERSION/partitions/ID.json            the sign that the partition is there; its blobs, inputs and outputs
/// lock                                              held while something is changed
/// </code>
/// <para>Every file is written under a temporary name, flushed to the disk and renamed, and what others refer to is written first.
/// So the end of the process, or of power, at any moment leaves either the old state or the new one, beside files that nothing
/// refers to; those are deleted when a model is added or removed, and when a repository is opened.</para>
/// <para>Several processes may use one folder; one at a time changes it. A model that is replaced or removed takes its files with it.</para>
/// </remarks>
public sealed class FolderModelRepository : IModelRepository
{
    private readonly RepositoryLayout _layout;
    private readonly RepositoryLock _lock;
    private readonly FolderBlobStore _blobs;

    private FolderModelRepository(RepositoryLayout layout)
    {
        _layout = layout;
        _lock = new RepositoryLock(layout.LockFile);
        _blobs = new FolderBlobStore(layout.Blobs);
    }

    /// <inheritdoc/>
    public IBlobStore Blobs => _blobs;

    /// <summary>Opens the repository in a folder, which is created where it does not exist, and deletes what nothing refers to.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidArgument"/>: the folder cannot be made or written to.</exception>
    public static async ValueTask<FolderModelRepository> OpenAsync(string folder, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var layout = new RepositoryLayout(Path.GetFullPath(folder));
        try
        {
            Directory.CreateDirectory(layout.Models);
            var repository = new FolderModelRepository(layout);
            using (await repository._lock.EnterAsync(cancellationToken).ConfigureAwait(false))
                repository.DeleteUnreferenced();
            return repository;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new EdgeSplitException(
                EdgeSplitError.InvalidArgument, $"The folder '{layout.Root}' cannot be used as a repository: {exception.Message} Name one that this process may write to.", exception);
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<StoredModel> ListModelsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        foreach (string name in Directory.EnumerateDirectories(_layout.Models).Select(static path => Path.GetFileName(path)).Where(RepositoryLayout.IsName).Order(StringComparer.Ordinal))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (TryReadModel(name) is { } manifest)
                yield return Stored(name, manifest);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<StoredModel> AddModelAsync(string name, string path, IReadOnlyCollection<string> externalFiles, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(externalFiles);
        string manifestPath = _layout.ModelManifest(name);
        var copy = new ModelCopy(path, externalFiles);
        using IDisposable entered = await _lock.EnterAsync(cancellationToken).ConfigureAwait(false);
        if (TryReadModel(name) is { } current && current.File == copy.File
            && current.Hashes.SequenceEqual(await copy.HashAsync(cancellationToken).ConfigureAwait(false)))
        {
            return Stored(name, current);
        }

        string version = Guid.NewGuid().ToString("N");
        try
        {
            Directory.CreateDirectory(_layout.Partitions(name, version));
            var manifest = new ModelManifest(
                ModelManifest.CurrentFormat, version, copy.File, await copy.CopyToAsync(_layout.Files(name, version), cancellationToken).ConfigureAwait(false));
            AtomicFile.FlushFolder(_layout.Version(name, version));
            await AtomicFile.WriteAsync(manifestPath, JsonSerializer.SerializeToUtf8Bytes(manifest, ManifestJsonContext.Default.ModelManifest), cancellationToken).ConfigureAwait(false);
            AtomicFile.FlushFolder(_layout.Models);
            return Stored(name, manifest);
        }
        finally
        {
            DeleteUnreferenced();
        }
    }

    /// <inheritdoc/>
    public ValueTask<StoredModel> GetModelAsync(string name, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return new ValueTask<StoredModel>(Stored(name, ReadModel(name)));
    }

    /// <inheritdoc/>
    public async ValueTask RemoveModelAsync(string name, CancellationToken cancellationToken)
    {
        string manifest = _layout.ModelManifest(name);
        using IDisposable entered = await _lock.EnterAsync(cancellationToken).ConfigureAwait(false);
        if (!File.Exists(manifest))
            return;
        File.Delete(manifest);
        AtomicFile.FlushFolder(_layout.Model(name));
        DeleteUnreferenced();
    }

    /// <inheritdoc/>
    public async ValueTask AddPartitionAsync(string modelName, ModelPartition partition, IBlobSource blobs, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(partition);
        ArgumentNullException.ThrowIfNull(blobs);
        using IDisposable entered = await _lock.EnterAsync(cancellationToken).ConfigureAwait(false);
        string path = _layout.Partition(modelName, ReadModel(modelName).Version, partition.Id);
        foreach (BlobReference blob in partition.Blobs)
        {
            if (_blobs.Contains(blob))
                continue;
            Stream content = await blobs.OpenBlobAsync(blob.Hash, cancellationToken).ConfigureAwait(false);
            await using (content.ConfigureAwait(false))
                await _blobs.AddAsync(blob, content, cancellationToken).ConfigureAwait(false);
        }
        if (!File.Exists(path + RepositoryLayout.ManifestSuffix))
            await PartitionFiles.WriteAsync(path, partition, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<ModelPartition> GetPartitionAsync(string modelName, string partitionId, CancellationToken cancellationToken)
    {
        string path = _layout.Partition(modelName, ReadModel(modelName).Version, partitionId);
        try
        {
            return await PartitionFiles.ReadAsync(path, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new EdgeSplitException(EdgeSplitError.NotFound, $"The repository '{_layout.Root}' has no partition '{partitionId}' of model '{modelName}'.", exception);
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<StoredDeployment> ListDeploymentsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (StoredModel model in ListModelsAsync(cancellationToken).ConfigureAwait(false))
        {
            if (TryReadDeployment(model.Name) is { } manifest)
            {
                yield return new StoredDeployment(model.Name, manifest.Assignment)
                {
                    Routes = manifest.Routes ?? [],
                    RequestsPerSecond = manifest.RequestsPerSecond,
                    MeasuredLayerSeconds = manifest.MeasuredLayerSeconds,
                };
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask SetDeploymentAsync(StoredDeployment deployment, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(deployment);
        var manifest = new DeploymentManifest(DeploymentManifest.CurrentFormat, deployment.Assignment, deployment.RequestsPerSecond, deployment.MeasuredLayerSeconds, deployment.Routes.IsEmpty ? null : deployment.Routes);
        using IDisposable entered = await _lock.EnterAsync(cancellationToken).ConfigureAwait(false);
        _ = ReadModel(deployment.ModelName);
        await AtomicFile.WriteAsync(
            _layout.DeploymentManifest(deployment.ModelName), JsonSerializer.SerializeToUtf8Bytes(manifest, ManifestJsonContext.Default.DeploymentManifest), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask RemoveDeploymentAsync(string modelName, CancellationToken cancellationToken)
    {
        string manifest = _layout.DeploymentManifest(modelName);
        using IDisposable entered = await _lock.EnterAsync(cancellationToken).ConfigureAwait(false);
        if (!File.Exists(manifest))
            return;
        File.Delete(manifest);
        AtomicFile.FlushFolder(_layout.Model(modelName));
    }

    private StoredModel Stored(string name, ModelManifest manifest) =>
        ContentHash.TryParse(manifest.Hashes.GetValueOrDefault(manifest.File), out ContentHash hash)
            ? new StoredModel(name, RepositoryLayout.Inside(_layout.Files(name, RepositoryLayout.CheckedName(manifest.Version)), manifest.File), hash)
            : throw NotAManifest(name);

    private ModelManifest ReadModel(string name) => TryReadModel(name)
        ?? throw new EdgeSplitException(EdgeSplitError.NotFound, $"The repository '{_layout.Root}' has no model '{name}'.");

    private ModelManifest? TryReadModel(string name)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(_layout.ModelManifest(name)), ManifestJsonContext.Default.ModelManifest) is { Format: ModelManifest.CurrentFormat } manifest
                ? manifest
                : throw NotAManifest(name);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (JsonException)
        {
            throw NotAManifest(name);
        }
    }

    private DeploymentManifest? TryReadDeployment(string name)
    {
        string path = _layout.DeploymentManifest(name);
        try
        {
            if (JsonSerializer.Deserialize(File.ReadAllBytes(path), ManifestJsonContext.Default.DeploymentManifest) is { Format: DeploymentManifest.CurrentFormat } manifest)
                return manifest;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (JsonException)
        {
            // Said below.
        }
        throw new EdgeSplitException(EdgeSplitError.InvalidModel, $"'{path}' is not of the format '{DeploymentManifest.CurrentFormat}'. Delete it and deploy the model again.");
    }

    private EdgeSplitException NotAManifest(string name) =>
        new(EdgeSplitError.InvalidModel, $"'{_layout.ModelManifest(name)}' is not of the format '{ModelManifest.CurrentFormat}'. Remove the model's folder and add the model again.");

    /// <summary>Deletes versions of models that no manifest names, and blobs that no partition refers to; the caller holds the lock.</summary>
    private void DeleteUnreferenced()
    {
        var referenced = new HashSet<ContentHash>();
        // Folders of other names are somebody else's, and stay.
        foreach (string folder in Directory.GetDirectories(_layout.Models).Where(static folder => RepositoryLayout.IsName(Path.GetFileName(folder))))
        {
            ModelManifest? manifest;
            try
            {
                manifest = TryReadModel(Path.GetFileName(folder));
            }
            catch (EdgeSplitException)
            {
                return; // A damaged manifest: what it referred to is not known, so nothing may go.
            }
            AtomicFile.DeleteLeftovers(folder);
            foreach (string version in Directory.GetDirectories(folder))
            {
                if (Path.GetFileName(version) != manifest?.Version)
                    Directory.Delete(version, recursive: true);
            }
            if (manifest is null)
            {
                File.Delete(_layout.DeploymentManifest(Path.GetFileName(folder)));
                if (!Directory.EnumerateFileSystemEntries(folder).Any())
                    Directory.Delete(folder);
                continue;
            }
            string partitions = _layout.Partitions(Path.GetFileName(folder), manifest.Version);
            AtomicFile.DeleteLeftovers(partitions);
            foreach (string path in Directory.GetFiles(partitions, "*" + RepositoryLayout.ManifestSuffix))
                referenced.UnionWith(PartitionFiles.Blobs(PartitionFiles.ReadManifest(path)).Select(static blob => blob.Hash));
        }
        foreach (ContentHash hash in _blobs.List())
        {
            if (!referenced.Contains(hash))
                _blobs.Remove(hash);
        }
    }
}
