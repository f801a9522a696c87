using System.Net;
using EdgeSplit.Transport.Duplex;

namespace EdgeSplit.Transport.Tests;

/// <summary>A transport whose receiving a test can hold up and let go on.</summary>
internal sealed class SwitchedFaults
{
    private volatile TaskCompletionSource? _stalled;

    public void Stall() => _stalled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void GoOn() => Interlocked.Exchange(ref _stalled, null)?.SetResult();

    public IDuplexTransport Wrap(IDuplexTransport inner) => new Transport(this, inner);

    private sealed class Transport(SwitchedFaults faults, IDuplexTransport inner) : IDuplexTransport
    {
        public async ValueTask<IDuplexListener> ListenAsync(EndPoint endPoint, CancellationToken cancellationToken) =>
            new Listener(faults, await inner.ListenAsync(endPoint, cancellationToken));

        public ValueTask<IDuplexConnection> ConnectAsync(EndPoint endPoint, CancellationToken cancellationToken) =>
            inner.ConnectAsync(endPoint, cancellationToken);
    }

    private sealed class Listener(SwitchedFaults faults, IDuplexListener inner) : IDuplexListener
    {
        public EndPoint EndPoint => inner.EndPoint;

        public async ValueTask<IDuplexConnection> AcceptAsync(CancellationToken cancellationToken) =>
            new Connection(faults, await inner.AcceptAsync(cancellationToken));

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }

    private sealed class Connection(SwitchedFaults faults, IDuplexConnection inner) : IDuplexConnection
    {
        public EndPoint? RemoteEndPoint => inner.RemoteEndPoint;

        public async ValueTask<int> ReceiveAsync(Memory<byte> destination, CancellationToken cancellationToken)
        {
            int count = await inner.ReceiveAsync(destination, cancellationToken);
            if (faults._stalled is { } stalled)
                await stalled.Task.WaitAsync(cancellationToken);
            return count;
        }

        public ValueTask SendAsync(IReadOnlyList<ReadOnlyMemory<byte>> buffers, CancellationToken cancellationToken) =>
            inner.SendAsync(buffers, cancellationToken);

        public ValueTask CompleteSendAsync(CancellationToken cancellationToken) => inner.CompleteSendAsync(cancellationToken);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
