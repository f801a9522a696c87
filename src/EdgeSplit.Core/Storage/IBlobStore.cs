namespace EdgeSplit.Storage;

/// <summary>Keeps blobs as files named by their content hash, so that a runtime can map them in place.</summary>
/// <remarks>Implementations are thread-safe, also between processes that share a folder.</remarks>
public interface IBlobStore : IBlobSource
{
    /// <summary>The folder that holds each blob as a file whose name is <see cref="ContentHash.ToString"/>.</summary>
    string Folder { get; }

    /// <summary>Whether the blob is there, whole.</summary>
    bool Contains(BlobReference blob);

    /// <summary>Stores a blob, unless it is there already; visible to others only when whole and when its hash is right.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.IntegrityFailure"/>: the content does not match the hash;
    /// <see cref="EdgeSplitError.ResourceExhausted"/>: the disk is full.</exception>
    ValueTask AddAsync(BlobReference blob, Stream content, CancellationToken cancellationToken);

    /// <summary>Gets a blob from a source, unless it is there already. A store may keep what has come of one that breaks off, and go on from there the next time.</summary>
    /// <returns>The bytes that were taken from the source.</returns>
    /// <exception cref="EdgeSplitException">What <see cref="AddAsync"/> or the source throws.</exception>
    async ValueTask<long> FetchAsync(BlobReference blob, IBlobSource source, CancellationToken cancellationToken)
    {
        if (Contains(blob))
            return 0;
        Stream content = await source.OpenBlobAsync(blob.Hash, cancellationToken).ConfigureAwait(false);
        await using (content.ConfigureAwait(false))
            await AddAsync(blob, content, cancellationToken).ConfigureAwait(false);
        return blob.ByteCount;
    }

    /// <summary>Marks blobs as used until the result is disposed of: a store of limited size removes others first. They need not be there yet.</summary>
    IDisposable? Hold(IEnumerable<BlobReference> blobs) => null;
}
