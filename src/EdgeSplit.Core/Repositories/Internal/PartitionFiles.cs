using System.Text.Json;
using EdgeSplit.Models;
using EdgeSplit.Storage;
using EdgeSplit.Storage.Internal;
using EdgeSplit.Tensors;

namespace EdgeSplit.Repositories.Internal;

/// <summary>Reads and writes partitions: the skeleton as it is, then, as the sign that the partition is there, its manifest.</summary>
internal static class PartitionFiles
{
    public static async ValueTask WriteAsync(string path, ModelPartition partition, CancellationToken cancellationToken)
    {
        var manifest = new PartitionManifest(
            PartitionManifest.CurrentFormat,
            [.. partition.Blobs.Select(static blob => new BlobManifest(blob.Hash.ToString(), blob.ByteCount))],
            [.. partition.Inputs.Select(Describe)],
            [.. partition.Outputs.Select(Describe)]);
        await AtomicFile.WriteAsync(path + RepositoryLayout.SkeletonSuffix, partition.Skeleton, cancellationToken).ConfigureAwait(false);
        await AtomicFile.WriteAsync(
            path + RepositoryLayout.ManifestSuffix, JsonSerializer.SerializeToUtf8Bytes(manifest, ManifestJsonContext.Default.PartitionManifest), cancellationToken).ConfigureAwait(false);
    }

    public static async ValueTask<ModelPartition> ReadAsync(string path, CancellationToken cancellationToken)
    {
        PartitionManifest manifest = ReadManifest(path + RepositoryLayout.ManifestSuffix);
        var partition = new ModelPartition
        {
            Skeleton = await File.ReadAllBytesAsync(path + RepositoryLayout.SkeletonSuffix, cancellationToken).ConfigureAwait(false),
            Blobs = [.. Blobs(manifest)],
            Inputs = [.. manifest.Inputs.Select(Tensor)],
            Outputs = [.. manifest.Outputs.Select(Tensor)],
        };
        if (partition.Id != Path.GetFileName(path))
            throw new EdgeSplitException(EdgeSplitError.IntegrityFailure, $"The stored partition '{path}' is damaged: its content is not what its name says. Deploy the model again.");
        return partition;
    }

    public static PartitionManifest ReadManifest(string path)
    {
        PartitionManifest? manifest = null;
        try
        {
            manifest = JsonSerializer.Deserialize(File.ReadAllBytes(path), ManifestJsonContext.Default.PartitionManifest);
        }
        catch (JsonException)
        {
        }
        return manifest is { Format: PartitionManifest.CurrentFormat } ? manifest : throw new EdgeSplitException(
            EdgeSplitError.InvalidModel, $"'{path}' is not of the format '{PartitionManifest.CurrentFormat}'.");
    }

    public static IEnumerable<BlobReference> Blobs(PartitionManifest manifest)
    {
        foreach (BlobManifest blob in manifest.Blobs)
        {
            yield return ContentHash.TryParse(blob.Hash, out ContentHash hash)
                ? new BlobReference(hash, blob.ByteCount)
                : throw new EdgeSplitException(EdgeSplitError.InvalidModel, $"A stored partition refers to a blob '{blob.Hash}', which is no hash.");
        }
    }

    private static TensorManifest Describe(TensorInfo info) => new(
        info.Name,
        info.ElementType,
        info.Dimensions.IsDefault ? null : [.. info.Dimensions.Select(static dimension => new DimensionManifest(dimension.Size, dimension.Symbol))]);

    private static TensorInfo Tensor(TensorManifest manifest) => new(
        manifest.Name,
        manifest.ElementType,
        manifest.Dimensions is { } dimensions ? [.. dimensions.Select(static dimension => new Dimension(dimension.Size, dimension.Symbol))] : default);
}
