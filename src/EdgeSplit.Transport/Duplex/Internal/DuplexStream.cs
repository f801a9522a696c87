using System.Buffers;
using System.Runtime.CompilerServices;

namespace EdgeSplit.Transport.Duplex.Internal;

/// <summary>
/// A connection as a stream, for what wants one: TLS and the pipe reader. Does not own the connection. It can hold what is written, so that
/// many small writes become one.
/// </summary>
internal sealed class DuplexStream(IDuplexConnection connection) : Stream
{
    // One write at a time, as with every stream.
    private readonly ReadOnlyMemory<byte>[] _written = new ReadOnlyMemory<byte>[1];
    // TLS may answer what it reads while another thread writes.
    private readonly Lock _gate = new();
    private byte[]? _held;
    private int _heldBytes;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        // TLS probes with empty reads to wait without a buffer; a connection has no such read, and needs none.
        buffer.IsEmpty ? ValueTask.FromResult(0) : connection.ReceiveAsync(buffer, cancellationToken);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            if (_held is not null)
            {
                buffer.Span.CopyTo(_held.AsSpan(_heldBytes));
                _heldBytes += buffer.Length;
                return ValueTask.CompletedTask;
            }
        }
        _written[0] = buffer;
        return connection.SendAsync(_written, cancellationToken);
    }

    /// <summary>Holds what is written from now on, so many bytes at most.</summary>
    public void Hold(int byteCount)
    {
        lock (_gate)
            _held = ArrayPool<byte>.Shared.Rent(byteCount);
    }

    /// <summary>Sends what is held, and holds no more.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask SendHeldAsync(CancellationToken cancellationToken)
    {
        byte[] held;
        lock (_gate)
        {
            held = _held!;
            _written[0] = held.AsMemory(0, _heldBytes);
            (_held, _heldBytes) = (null, 0);
        }
        await connection.SendAsync(_written, cancellationToken).ConfigureAwait(false);
        ArrayPool<byte>.Shared.Return(held);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
