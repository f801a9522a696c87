using System.Collections.Concurrent;
using System.Net;
using System.Threading.Channels;
using EdgeSplit.Transport.Duplex;
using EdgeSplit.Transport.Testing.Internal;

namespace EdgeSplit.Transport.Testing;

/// <summary>Connections within this process, without sockets. Only those who share the object reach each other.</summary>
/// <param name="bufferBytes">The bytes that each direction of a connection holds before the sender waits.</param>
public sealed class InMemoryTransport(int bufferBytes = 64 * 1024) : IDuplexTransport
{
    private const int FirstPort = 1024;
    private readonly ConcurrentDictionary<EndPoint, Listener> _listeners = new();
    private int _lastPort = FirstPort;

    /// <inheritdoc/>
    public ValueTask<IDuplexListener> ListenAsync(EndPoint endPoint, CancellationToken cancellationToken)
    {
        if (endPoint is IPEndPoint { Port: 0 } any)
            endPoint = new IPEndPoint(any.Address, Interlocked.Increment(ref _lastPort));
        var listener = new Listener(this, endPoint);
        return _listeners.TryAdd(endPoint, listener)
            ? ValueTask.FromResult<IDuplexListener>(listener)
            : throw new EdgeSplitException(EdgeSplitError.InvalidArgument, $"Someone listens on {endPoint} already; choose another address.");
    }

    /// <inheritdoc/>
    public ValueTask<IDuplexConnection> ConnectAsync(EndPoint endPoint, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var there = new ByteChannel(bufferBytes);
        var back = new ByteChannel(bufferBytes);
        var from = new IPEndPoint(IPAddress.Loopback, 0);
        return _listeners.TryGetValue(endPoint, out Listener? listener) && listener.Offer(new InMemoryConnection(there, back, from))
            ? ValueTask.FromResult<IDuplexConnection>(new InMemoryConnection(back, there, endPoint))
            : throw new EdgeSplitException(EdgeSplitError.AgentUnavailable, $"Nobody listens on {endPoint} in memory.");
    }

    private sealed class Listener(InMemoryTransport transport, EndPoint endPoint) : IDuplexListener
    {
        private readonly Channel<IDuplexConnection> _waiting = Channel.CreateUnbounded<IDuplexConnection>();

        public EndPoint EndPoint => endPoint;

        public bool Offer(IDuplexConnection connection) => _waiting.Writer.TryWrite(connection);

        public async ValueTask<IDuplexConnection> AcceptAsync(CancellationToken cancellationToken)
        {
            try
            {
                return await _waiting.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (ChannelClosedException exception)
            {
                throw new ObjectDisposedException(nameof(InMemoryTransport), exception);
            }
        }

        public async ValueTask DisposeAsync()
        {
            transport._listeners.TryRemove(endPoint, out _);
            _waiting.Writer.TryComplete();
            while (_waiting.Reader.TryRead(out IDuplexConnection? waiting))
                await waiting.DisposeAsync().ConfigureAwait(false);
        }
    }
}
