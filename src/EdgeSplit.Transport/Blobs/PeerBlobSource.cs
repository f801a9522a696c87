using System.Collections.Immutable;
using EdgeSplit.Storage;
using EdgeSplit.Transport.Connections;

namespace EdgeSplit.Transport.Blobs;

/// <summary>The blobs of one load, pulled from the side that asked for it.</summary>
internal sealed class PeerBlobSource(PeerConnection connection, int loadId, ImmutableArray<BlobReference> blobs, int maxTensorBytes) : IBlobSource
{
    private const int PieceBytes = 1024 * 1024;

    private readonly Dictionary<ContentHash, long> _byteCounts = blobs.DistinctBy(static blob => blob.Hash).ToDictionary(
        static blob => blob.Hash, static blob => blob.ByteCount);

    /// <inheritdoc/>
    public ValueTask<Stream> OpenBlobAsync(ContentHash hash, CancellationToken cancellationToken) => OpenBlobFromAsync(hash, 0, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<Stream> OpenBlobFromAsync(ContentHash hash, long offset, CancellationToken cancellationToken)
    {
        if (!_byteCounts.TryGetValue(hash, out long byteCount))
            throw new EdgeSplitException(EdgeSplitError.NotFound, $"Blob {hash} does not belong to the partition that is being loaded.");
        var stream = new PeerBlobStream(connection, loadId, new BlobReference(hash, byteCount), Math.Min(PieceBytes, maxTensorBytes));
        await stream.OpenAsync(offset, cancellationToken).ConfigureAwait(false);
        return stream;
    }
}
