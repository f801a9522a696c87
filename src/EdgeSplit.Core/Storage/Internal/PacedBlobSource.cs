using EdgeSplit.Devices;

namespace EdgeSplit.Storage.Internal;

/// <summary>Gives blobs no faster than at a rate, all of its streams together, to leave the rest of a link to others.</summary>
/// <param name="source">The source.</param>
/// <param name="bytesPerSecond">The rate.</param>
/// <param name="time">The clock.</param>
/// <param name="hurry">Once it is cancelled blobs come as fast as they can: somebody waits for them.</param>
internal sealed class PacedBlobSource(IBlobSource source, double bytesPerSecond, TimeProvider time, CancellationToken hurry = default) : IBlobSource
{
    private readonly Lock _lock = new();
    private long _freeAt = time.GetTimestamp();

    /// <summary>Leaves the rest of a link to others; a link without a limit needs no pace.</summary>
    /// <param name="source">The source.</param>
    /// <param name="link">The link that its blobs travel over.</param>
    /// <param name="share">The share of the link that they may take.</param>
    /// <param name="time">The clock.</param>
    /// <param name="hurry">Once it is cancelled they may take all of it.</param>
    public static IBlobSource ForShare(IBlobSource source, Link link, double share, TimeProvider time, CancellationToken hurry = default)
    {
        double bytesPerSecond = link.BytesPerSecond * share;
        return double.IsFinite(bytesPerSecond) ? new PacedBlobSource(source, bytesPerSecond, time, hurry) : source;
    }

    public async ValueTask<Stream> OpenBlobAsync(ContentHash hash, CancellationToken cancellationToken) =>
        new PacedStream(this, await source.OpenBlobAsync(hash, cancellationToken).ConfigureAwait(false));

    public async ValueTask<Stream> OpenBlobFromAsync(ContentHash hash, long offset, CancellationToken cancellationToken) =>
        new PacedStream(this, await source.OpenBlobFromAsync(hash, offset, cancellationToken).ConfigureAwait(false));

    /// <summary>Waits for the turn of some bytes.</summary>
    public async ValueTask WaitAsync(int byteCount, CancellationToken cancellationToken)
    {
        TimeSpan wait;
        lock (_lock)
        {
            long now = time.GetTimestamp();
            long turn = Math.Max(_freeAt, now);
            _freeAt = turn + (long)(byteCount / bytesPerSecond * time.TimestampFrequency);
            wait = time.GetElapsedTime(now, turn);
        }
        if (wait <= TimeSpan.Zero)
            return;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, hurry);
        try
        {
            await Task.Delay(wait, time, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // It need not wait any more.
        }
    }

    private sealed class PacedStream(PacedBlobSource pace, Stream inner) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int read = await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            await pace.WaitAsync(read, cancellationToken).ConfigureAwait(false);
            return read;
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("A paced blob is read asynchronously.");

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override ValueTask DisposeAsync() => inner.DisposeAsync();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                inner.Dispose();
        }
    }
}
