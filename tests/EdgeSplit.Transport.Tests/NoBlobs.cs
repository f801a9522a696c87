using EdgeSplit.Storage;

namespace EdgeSplit.Transport.Tests;

internal sealed class NoBlobs : IBlobSource
{
    public static NoBlobs Instance { get; } = new();

    public ValueTask<Stream> OpenBlobAsync(ContentHash hash, CancellationToken cancellationToken) =>
        throw new EdgeSplitException(EdgeSplitError.NotFound, "There are no blobs.");
}
