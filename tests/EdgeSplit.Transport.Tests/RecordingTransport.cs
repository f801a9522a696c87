using System.Net;
using EdgeSplit.Transport.Duplex;

namespace EdgeSplit.Transport.Tests;

/// <summary>Notes what the connections that are made through it send, in the pieces in which it is sent.</summary>
internal sealed class RecordingTransport(IDuplexTransport inner) : IDuplexTransport
{
    public List<byte[]> Sent { get; } = [];

    public async ValueTask<IDuplexConnection> ConnectAsync(EndPoint endPoint, CancellationToken cancellationToken) =>
        new Connection(await inner.ConnectAsync(endPoint, cancellationToken), Sent);

    public ValueTask<IDuplexListener> ListenAsync(EndPoint endPoint, CancellationToken cancellationToken) => inner.ListenAsync(endPoint, cancellationToken);

    private sealed class Connection(IDuplexConnection inner, List<byte[]> sent) : IDuplexConnection
    {
        public EndPoint? RemoteEndPoint => inner.RemoteEndPoint;

        public ValueTask<int> ReceiveAsync(Memory<byte> destination, CancellationToken cancellationToken) => inner.ReceiveAsync(destination, cancellationToken);

        public ValueTask SendAsync(IReadOnlyList<ReadOnlyMemory<byte>> buffers, CancellationToken cancellationToken)
        {
            lock (sent)
                sent.Add([.. buffers.SelectMany(static buffer => buffer.ToArray())]);
            return inner.SendAsync(buffers, cancellationToken);
        }

        public ValueTask CompleteSendAsync(CancellationToken cancellationToken) => inner.CompleteSendAsync(cancellationToken);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
