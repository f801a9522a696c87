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
}
