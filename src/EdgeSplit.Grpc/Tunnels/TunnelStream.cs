using Google.Protobuf;
using Grpc.Core;

namespace EdgeSplit.Grpc.Tunnels;

/// <summary>The bytes of a <c>Tunnel.Join</c> call as a stream, for either side.</summary>
/// <param name="reader">Gives what the other side sends.</param>
/// <param name="write">Sends; a message that it was given is its until it completes.</param>
/// <remarks>One read and one write at a time. The call ends with whoever made it, not with the stream.</remarks>
internal sealed class TunnelStream(IAsyncStreamReader<V1.TunnelBytes> reader, Func<V1.TunnelBytes, Task> write) : Stream
{
    private const int MaxMessageBytes = 64 * 1024;

    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ReadOnlyMemory<byte> _unread;

    /// <summary>Completes when the first bytes have arrived.</summary>
    public Task Opened => _opened.Task;

    /// <summary>Completes when the other side has ended the call, or the stream was disposed of.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Why the call ended; null where it just did.</summary>
    public Exception? Failure { get; private set; }

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_unread.IsEmpty)
        {
            try
            {
                if (!await reader.MoveNext(cancellationToken).ConfigureAwait(false))
                {
                    _ended.TrySetResult();
                    return 0;
                }
            }
            catch (Exception exception) when (exception is RpcException or IOException or InvalidOperationException)
            {
                Failure ??= exception;
                _ended.TrySetResult();
                throw new IOException("The tunnel has ended.", exception);
            }
            _unread = reader.Current.Data.Memory;
            _opened.TrySetResult();
        }
        int count = Math.Min(buffer.Length, _unread.Length);
        _unread[..count].CopyTo(buffer);
        _unread = _unread[count..];
        return count;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        for (int offset = 0; offset < buffer.Length; offset += MaxMessageBytes)
        {
            // What is wrapped is written out before the task completes.
            ReadOnlyMemory<byte> piece = buffer.Slice(offset, Math.Min(MaxMessageBytes, buffer.Length - offset));
            try
            {
                await write(new V1.TunnelBytes { Data = UnsafeByteOperations.UnsafeWrap(piece) }).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is RpcException or InvalidOperationException)
            {
                Failure ??= exception;
                throw new IOException("The tunnel has ended.", exception);
            }
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
        // Each message is sent at once.
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("A tunnel is read asynchronously.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("A tunnel is written asynchronously.");

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        _ended.TrySetResult();
        base.Dispose(disposing);
    }
}
