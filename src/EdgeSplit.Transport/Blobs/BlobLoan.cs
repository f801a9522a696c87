using System.Buffers;
using System.Collections.Concurrent;
using System.Collections.Immutable;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;
using EdgeSplit.Transport.Connections;
using EdgeSplit.Transport.Messages;

namespace EdgeSplit.Transport.Blobs;

/// <summary>The asking side of a load: gives the agent the blobs of that partition, and no others, piece by piece.</summary>
internal sealed class BlobLoan(IBlobSource source, ImmutableArray<BlobReference> blobs, TensorBufferPool pool) : IAsyncDisposable
{
    private const int MaxPieceBytes = 4 * 1024 * 1024;

    private readonly ConcurrentDictionary<ContentHash, OpenBlob> _open = new(
        blobs.DistinctBy(static blob => blob.Hash).Select(static blob => KeyValuePair.Create(blob.Hash, new OpenBlob(blob.ByteCount))));
    private volatile bool _isDisposed;

    /// <summary>Answers the agent's request for a piece.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.AccessDenied"/>: not a blob of the partition.</exception>
    public async ValueTask<Reply> ReadAsync(ReadBlobCall call, CancellationToken cancellationToken)
    {
        if (!_open.TryGetValue(call.Hash, out OpenBlob? blob))
            throw new EdgeSplitException(EdgeSplitError.AccessDenied, $"Blob {call.Hash} does not belong to the partition that is being loaded.");
        if (call.MaxBytes <= 0)
            throw new EdgeSplitException(EdgeSplitError.InvalidArgument, $"A piece of {call.MaxBytes} bytes was asked for.");
        await blob.Turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // A blob may begin anywhere: an agent goes on with what broke off in an earlier load.
            if (!_isDisposed && (call.Offset == 0 || (blob.Stream is null && call.Offset > 0 && call.Offset < blob.ByteCount)))
                await blob.OpenAsync(source, call.Hash, call.Offset, cancellationToken).ConfigureAwait(false);
            if (blob.Stream is null || call.Offset != blob.Position)
            {
                throw new EdgeSplitException(
                    EdgeSplitError.InvalidArgument, $"Blob {call.Hash} was asked for from byte {call.Offset} on; {blob.Position} is next.");
            }
            return await ReadPieceAsync(blob, Math.Min(call.MaxBytes, MaxPieceBytes), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            blob.Turn.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _isDisposed = true;
        foreach (OpenBlob blob in _open.Values)
        {
            // A request that comes after this turn finds no stream.
            await blob.Turn.WaitAsync(CancellationToken.None).ConfigureAwait(false);
            await blob.CloseAsync().ConfigureAwait(false);
            blob.Turn.Release();
        }
    }

    private async ValueTask<Reply> ReadPieceAsync(OpenBlob blob, int maxBytes, CancellationToken cancellationToken)
    {
        int wanted = (int)Math.Min(maxBytes, blob.ByteCount - blob.Position);
        IMemoryOwner<byte> buffer = pool.Rent(wanted);
        try
        {
            int read = await blob.Stream!.ReadAtLeastAsync(buffer.Memory, wanted, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            blob.Position += read;
            Tensor piece = Tensor.FromOwner(TensorElementType.UInt8, new TensorShape(read), buffer);
            // A source that ends early is the agent's to notice: the hash will be wrong.
            bool isLast = read < wanted || blob.Position == blob.ByteCount;
            return new Reply(new ReadBlobReply(isLast), new Dictionary<string, Tensor> { [""] = piece }, piece);
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
    }

    private sealed class OpenBlob(long byteCount)
    {
        public long ByteCount { get; } = byteCount;

        /// <summary>One piece at a time.</summary>
        public SemaphoreSlim Turn { get; } = new(1);

        public Stream? Stream { get; private set; }

        public long Position { get; set; }

        public async ValueTask OpenAsync(IBlobSource source, ContentHash hash, long offset, CancellationToken cancellationToken)
        {
            await CloseAsync().ConfigureAwait(false);
            Stream = offset == 0
                ? await source.OpenBlobAsync(hash, cancellationToken).ConfigureAwait(false)
                : await source.OpenBlobFromAsync(hash, offset, cancellationToken).ConfigureAwait(false);
            Position = offset;
        }

        public async ValueTask CloseAsync()
        {
            if (Stream is not null)
                await Stream.DisposeAsync().ConfigureAwait(false);
            Stream = null;
            Position = 0;
        }
    }
}
