using EdgeSplit.Storage.Internal;

namespace EdgeSplit.Storage;

/// <summary>Something that has blobs to give: a model file, a repository, a peer.</summary>
/// <remarks>Implementations are thread-safe.</remarks>
public interface IBlobSource
{
    /// <summary>Opens a blob for reading from its start. The caller disposes of the stream and checks the content against the hash.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NotFound"/>: this source lacks the blob.</exception>
    ValueTask<Stream> OpenBlobAsync(ContentHash hash, CancellationToken cancellationToken);

    /// <summary>Opens a blob for reading from a byte on, to go on with what broke off. Unless a source knows better, it reads what is before it and drops that.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NotFound"/>: this source lacks the blob.</exception>
    async ValueTask<Stream> OpenBlobFromAsync(ContentHash hash, long offset, CancellationToken cancellationToken)
    {
        Stream stream = await OpenBlobAsync(hash, cancellationToken).ConfigureAwait(false);
        try
        {
            await StreamSkip.SkipAsync(stream, offset, cancellationToken).ConfigureAwait(false);
            return stream;
        }
        catch
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }
}
