using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Threading.Tasks.Sources;

namespace EdgeSplit.Transport.Duplex.Internal;

/// <summary>Sends several arrays in one system call, without allocating. One send at a time.</summary>
internal sealed class GatherSend(Socket socket) : SocketAsyncEventArgs(true), IValueTaskSource
{
    private readonly List<ArraySegment<byte>> _segments = new(capacity: 8);
    private ManualResetValueTaskSourceCore<bool> _completion;
    private int _expectedBytes;

    public ValueTask SendAsync(IReadOnlyList<ReadOnlyMemory<byte>> buffers)
    {
        _segments.Clear();
        _expectedBytes = 0;
        for (int i = 0; i < buffers.Count; i++)
        {
            if (!MemoryMarshal.TryGetArray(buffers[i], out ArraySegment<byte> segment))
                throw new ArgumentException("Only arrays can be gathered.", nameof(buffers));
            if (segment.Count == 0)
                continue;
            _segments.Add(segment);
            _expectedBytes += segment.Count;
        }
        if (_segments.Count == 0)
            return ValueTask.CompletedTask;

        BufferList = _segments;
        _completion.Reset();
        if (socket.SendAsync(this))
            return new ValueTask(this, _completion.Version);
        return SocketError == SocketError.Success && BytesTransferred == _expectedBytes
            ? ValueTask.CompletedTask
            : ValueTask.FromException(Failure());
    }

    protected override void OnCompleted(SocketAsyncEventArgs e)
    {
        if (SocketError == SocketError.Success && BytesTransferred == _expectedBytes)
            _completion.SetResult(true);
        else
            _completion.SetException(Failure());
    }

    void IValueTaskSource.GetResult(short token) => _completion.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _completion.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _completion.OnCompleted(continuation, state, token, flags);

    // A stream socket takes all of the bytes or fails; anything else would leave a frame half written.
    private Exception Failure() => SocketError != SocketError.Success
        ? new SocketException((int)SocketError)
        : new IOException($"The socket took {BytesTransferred} of {_expectedBytes} bytes.");
}
