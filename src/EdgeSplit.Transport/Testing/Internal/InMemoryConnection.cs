using System.Net;
using EdgeSplit.Transport.Duplex;

namespace EdgeSplit.Transport.Testing.Internal;

internal sealed class InMemoryConnection(ByteChannel input, ByteChannel output, EndPoint remoteEndPoint) : IDuplexConnection
{
    public EndPoint? RemoteEndPoint { get; } = remoteEndPoint;

    public ValueTask<int> ReceiveAsync(Memory<byte> destination, CancellationToken cancellationToken) =>
        input.ReadAsync(destination, cancellationToken);

    public async ValueTask SendAsync(IReadOnlyList<ReadOnlyMemory<byte>> buffers, CancellationToken cancellationToken)
    {
        foreach (ReadOnlyMemory<byte> buffer in buffers)
            await output.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
    }

    public ValueTask CompleteSendAsync(CancellationToken cancellationToken)
    {
        output.Complete();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        // As with TCP: the peer can still read what was sent, and fails when it sends.
        output.Complete();
        input.Abort();
        return ValueTask.CompletedTask;
    }
}
