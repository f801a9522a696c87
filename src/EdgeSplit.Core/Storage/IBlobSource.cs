namespace EdgeSplit.Storage;

/// <summary>Something that has blobs to give: a model file, a repository, a peer.</summary>
/// <remarks>Implementations are thread-safe.</remarks>
public interface IBlobSource
{
    /// <summary>Opens a blob for reading from its start. The caller disposes of the stream and checks the content against the hash.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NotFound"/>: this source lacks the blob.</exception>
    ValueTask<Stream> OpenBlobAsync(ContentHash hash, CancellationToken cancellationToken);
}
