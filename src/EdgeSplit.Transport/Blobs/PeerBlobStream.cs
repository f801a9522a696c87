using EdgeSplit.Storage;
using EdgeSplit.Tensors;
using EdgeSplit.Transport.Connections;
using EdgeSplit.Transport.Framing;
using EdgeSplit.Transport.Messages;

namespace EdgeSplit.Transport.Blobs;

/// <summary>
/// A blob that is read from the peer piece by piece. While one piece is consumed the next is on its way, so that the link is
/// busy while the reader hashes and writes.
/// </summary>
internal sealed class PeerBlobStream(PeerConnection connection, int loadId, BlobReference blob, int pieceBytes) : Stream
{
    private readonly CancellationTokenSource _disposing = new();
    private Tensor? _piece;
    private int _offset;
    private long _received;
    private bool _isLast;
    private Task<(Tensor Bytes, bool IsLast)>? _next;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => blob.ByteCount;

    public override long Position
    {
        get => _received - (_piece?.ByteCount ?? 0) + _offset;
        set => throw new NotSupportedException();
    }

    /// <summary>Gets the first piece from a byte on, which shows whether the peer has the blob.</summary>
    public async ValueTask OpenAsync(long offset, CancellationToken cancellationToken)
    {
        _received = offset;
        _next = FetchAsync(offset);
        await AdvanceAsync(cancellationToken).ConfigureAwait(false);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty)
            return 0;
        while (_offset == _piece!.ByteCount)
        {
            if (_isLast)
                return 0;
            await AdvanceAsync(cancellationToken).ConfigureAwait(false);
        }
        ReadOnlyMemory<byte> rest = _piece.Bytes[_offset..];
        int count = Math.Min(rest.Length, buffer.Length);
        rest[..count].CopyTo(buffer);
        _offset += count;
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) =>
        ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (!disposing || _disposing.IsCancellationRequested)
            return;
        _disposing.Cancel();
        _piece?.Dispose();
        // A piece that is still on its way is taken back, or dropped when it comes.
        _ = _next?.ContinueWith(
            static piece =>
            {
                if (piece.IsCompletedSuccessfully)
                    piece.Result.Bytes.Dispose();
                else
                    _ = piece.Exception;
            },
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    private async ValueTask AdvanceAsync(CancellationToken cancellationToken)
    {
        (Tensor piece, _isLast) = await _next!.WaitAsync(cancellationToken).ConfigureAwait(false);
        _next = null;
        _piece?.Dispose();
        _piece = piece;
        _offset = 0;
        _received += piece.ByteCount;
        if (!_isLast)
            _next = FetchAsync(_received);
    }

    private async Task<(Tensor Bytes, bool IsLast)> FetchAsync(long offset)
    {
        var call = new ReadBlobCall(loadId, blob.Hash, offset, pieceBytes);
        using IncomingMessage answer = await connection.CallAsync(call, null, Timeout.InfiniteTimeSpan, _disposing.Token).ConfigureAwait(false);
        Dictionary<string, Tensor> tensors = answer.TakeTensors();
        if (answer.Head.Payload is not ReadBlobReply reply || tensors.Count != 1 || !tensors.TryGetValue("", out Tensor? piece)
            || piece.ElementType != TensorElementType.UInt8)
        {
            throw ProtocolError.Violation("it did not answer with a piece of a blob");
        }
        if (offset + piece.ByteCount > blob.ByteCount || (piece.ByteCount == 0 && !reply.IsLast))
        {
            piece.Dispose();
            throw new EdgeSplitException(
                EdgeSplitError.IntegrityFailure, $"Blob {blob.Hash} is not {blob.ByteCount} bytes long where it comes from. Publish the model again.");
        }
        return (piece, reply.IsLast);
    }
}
