using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace EdgeSplit.Transport.Duplex.Internal;

/// <summary>
/// A connected socket. Several buffers go out in one system call where all are arrays; memory that is none (ONNX Runtime's
/// own) is sent from where it lies in calls of its own, small pieces being joined first.
/// </summary>
internal sealed class TcpConnection : IPacedConnection
{
    private const int Tcp = 6;
    private const int NotSentLowWater = 25;

    private readonly Socket _socket;
    private readonly GatherSend _gather;
    private JoinedSend? _joined;
    private int _disposed;

    public TcpConnection(Socket socket)
    {
        _socket = socket;
        _gather = new GatherSend(socket);
        RemoteEndPoint = socket.RemoteEndPoint;
        StaysInMachine = RemoteEndPoint is IPEndPoint remote && socket.LocalEndPoint is IPEndPoint local && local.Address.Equals(remote.Address);
        socket.NoDelay = true;
    }

    // Asked for once: a socket that the peer has reset no longer knows.
    public EndPoint? RemoteEndPoint { get; }

    /// <inheritdoc/>
    public bool StaysInMachine { get; }

    public ValueTask<int> ReceiveAsync(Memory<byte> destination, CancellationToken cancellationToken) =>
        _socket.ReceiveAsync(destination, SocketFlags.None, cancellationToken);

    public ValueTask SendAsync(IReadOnlyList<ReadOnlyMemory<byte>> buffers, CancellationToken cancellationToken)
    {
        if (buffers.Count == 1)
            return SendOneAsync(buffers[0], cancellationToken);
        for (int i = 0; i < buffers.Count; i++)
        {
            if (!MemoryMarshal.TryGetArray(buffers[i], out _))
                return (_joined ??= new JoinedSend(SendOneAsync)).SendAsync(buffers, cancellationToken);
        }
        return _gather.SendAsync(buffers);
    }

    public ValueTask CompleteSendAsync(CancellationToken cancellationToken)
    {
        _socket.Shutdown(SocketShutdown.Send);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public void LimitUnsent(int byteCount)
    {
        // Other systems have no such option, or none that works so; there the chunks' size alone bounds what waits.
        if (!OperatingSystem.IsLinux())
            return;
        Span<byte> value = stackalloc byte[sizeof(int)];
        BitConverter.TryWriteBytes(value, byteCount);
        try
        {
            _socket.SetRawSocketOption(Tcp, NotSentLowWater, value);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // A kernel without the option, or a connection that has ended already: it works all the same.
        }
    }

    public ValueTask DisposeAsync()
    {
        // The gather's event arguments are left to the collector: disposing of them with a send pending is not allowed.
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
            _socket.Dispose();
        return ValueTask.CompletedTask;
    }

    private ValueTask SendOneAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        ValueTask<int> sending = _socket.SendAsync(buffer, SocketFlags.None, cancellationToken);
        return sending.IsCompletedSuccessfully && sending.Result == buffer.Length
            ? ValueTask.CompletedTask
            : SendRestAsync(sending, buffer, cancellationToken);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask SendRestAsync(ValueTask<int> sending, ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        int sent = await sending.ConfigureAwait(false);
        while (sent < buffer.Length)
            sent += await _socket.SendAsync(buffer[sent..], SocketFlags.None, cancellationToken).ConfigureAwait(false);
    }
}
