using System.Buffers;
using System.Security.Cryptography;
using EdgeSplit.Storage;

namespace EdgeSplit.Onnx.Splitting;

/// <summary>Copies blobs in pieces and checks them on the way.</summary>
internal static class BlobCopy
{
    private const int BufferBytes = 1 << 20;

    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.IntegrityFailure"/>: the bytes are not those that the hash names.</exception>
    public static async Task CopyAsync(IBlobSource source, BlobReference blob, Stream output, CancellationToken cancellationToken)
    {
        using Stream content = await source.OpenBlobAsync(blob.Hash, cancellationToken).ConfigureAwait(false);
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(BufferBytes, Math.Max(blob.ByteCount, 1)));
        try
        {
            int read;
            while ((read = await content.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                sha.AppendData(buffer, 0, read);
                await output.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        if (new ContentHash(sha.GetHashAndReset()) != blob.Hash)
            throw new EdgeSplitException(EdgeSplitError.IntegrityFailure, $"The weight {blob.Hash} has other content than its hash says; the model file changed, or the source is damaged.");
    }
}
