using System.Net;
using EdgeSplit.Transport.Duplex;

namespace EdgeSplit.Transport.Testing.Internal;

internal sealed class FaultyConnection(IDuplexConnection inner, ConnectionFaults faults, TimeProvider timeProvider) : IDuplexConnection
{
    private readonly CancellationTokenSource _disposed = new();
    private readonly ReorderedReceive? _reordered = faults.ReorderSeed is { } seed ? new ReorderedReceive(inner, seed) : null;
    private long _received;

    public EndPoint? RemoteEndPoint => inner.RemoteEndPoint;

    public async ValueTask<int> ReceiveAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _disposed.Token);
        if (faults.Delay > TimeSpan.Zero)
            await Task.Delay(faults.Delay, timeProvider, either.Token).ConfigureAwait(false);
        if (_received == faults.StallAfterBytes)
            await Task.Delay(Timeout.Infinite, either.Token).ConfigureAwait(false);
        if (_received == faults.DropAfterBytes)
        {
            await inner.DisposeAsync().ConfigureAwait(false);
            throw new IOException("The connection was dropped on purpose.");
        }

        Memory<byte> allowed = destination[..Allowed(destination.Length)];
        int count = await (_reordered?.ReceiveAsync(allowed, either.Token) ?? inner.ReceiveAsync(allowed, either.Token)).ConfigureAwait(false);
        if (faults.CorruptByte is { } corrupt && corrupt >= _received && corrupt < _received + count)
            destination.Span[(int)(corrupt - _received)] ^= (byte)(1 << (int)(corrupt % 8));
        _received += count;
        return count;
    }

    public ValueTask SendAsync(IReadOnlyList<ReadOnlyMemory<byte>> buffers, CancellationToken cancellationToken) =>
        inner.SendAsync(buffers, cancellationToken);

    public ValueTask CompleteSendAsync(CancellationToken cancellationToken) => inner.CompleteSendAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _disposed.CancelAsync().ConfigureAwait(false);
        await inner.DisposeAsync().ConfigureAwait(false);
    }

    private int Allowed(int wanted)
    {
        long allowed = Math.Min(wanted, faults.MaxReceiveBytes);
        foreach (long? border in (ReadOnlySpan<long?>)[faults.SplitAtByte, faults.DropAfterBytes, faults.StallAfterBytes])
        {
            if (border > _received)
                allowed = Math.Min(allowed, border.Value - _received);
        }
        return (int)allowed;
    }
}
