using System.Buffers;

namespace EdgeSplit.Storage.Internal;

/// <summary>Moves on in streams that may not be able to seek.</summary>
internal static class StreamSkip
{
    private const int BufferBytes = 64 << 10;

    /// <summary>Moves a stream on by some bytes, or to its end where it is shorter.</summary>
    public static async ValueTask SkipAsync(Stream stream, long byteCount, CancellationToken cancellationToken)
    {
        if (stream.CanSeek)
        {
            stream.Seek(byteCount, SeekOrigin.Current);
            return;
        }
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            while (byteCount > 0)
            {
                int read = await stream.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, byteCount)), cancellationToken).ConfigureAwait(false);
                if (read == 0)
                    return;
                byteCount -= read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
