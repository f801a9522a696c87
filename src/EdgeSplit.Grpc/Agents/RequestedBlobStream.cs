using System.Threading.Channels;
using EdgeSplit.Storage;
using Google.Protobuf;

namespace EdgeSplit.Grpc.Agents;

/// <summary>A blob that arrives in pieces. While some are consumed the next are on their way, and never more than a few MiB.</summary>
internal sealed class RequestedBlobStream(
    BlobReference blob,
    int index,
    ChannelReader<V1.BlobData> pieces,
    Func<V1.LoadResponse, CancellationToken, Task> send,
    Action close) : Stream
{
    private const int ReadBytes = 2 * 1024 * 1024;
    private const int ReadsAhead = 2;

    private ByteString _piece = ByteString.Empty;
    private int _offset;
    private long _asked;
    private long _received;
    private bool _isLast;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => blob.ByteCount;

    public override long Position
    {
        get => _received - _piece.Length + _offset;
        set => throw new NotSupportedException();
    }

    /// <summary>Gets the first piece, which shows whether the other side has the blob.</summary>
    public async ValueTask OpenAsync(CancellationToken cancellationToken)
    {
        await AskAsync(cancellationToken).ConfigureAwait(false);
        await AdvanceAsync(cancellationToken).ConfigureAwait(false);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty)
            return 0;
        while (_offset == _piece.Length)
        {
            if (_isLast)
                return 0;
            await AdvanceAsync(cancellationToken).ConfigureAwait(false);
        }
        int count = Math.Min(_piece.Length - _offset, buffer.Length);
        _piece.Span.Slice(_offset, count).CopyTo(buffer.Span);
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
        if (disposing)
            close();
    }

    private async ValueTask AdvanceAsync(CancellationToken cancellationToken)
    {
        V1.BlobData data;
        try
        {
            data = await pieces.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException exception) when (exception.InnerException is EdgeSplitException reason)
        {
            throw new EdgeSplitException(reason.Error, reason.Message, reason);
        }
        if (data.Offset != _received || data.Data.Length > _asked - _received)
            throw new EdgeSplitException(EdgeSplitError.ProtocolViolation, $"A piece of blob {blob.Hash} came that was not asked for.");
        _received += data.Data.Length;
        _piece = data.Data;
        _offset = 0;
        _isLast = data.Data.IsEmpty || _received == blob.ByteCount;
        await AskAsync(cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask AskAsync(CancellationToken cancellationToken)
    {
        while (!_isLast && (_asked == 0 || (_asked < blob.ByteCount && _asked - _received <= (ReadsAhead - 1) * ReadBytes)))
        {
            long count = Math.Min(ReadBytes, blob.ByteCount - _asked);
            var read = new V1.BlobRead { Blob = index, Offset = _asked, ByteCount = count };
            await send(new V1.LoadResponse { Read = read }, cancellationToken).ConfigureAwait(false);
            _asked += count;
            if (count == 0)
                return;
        }
    }
}
