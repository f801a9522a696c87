using System.Net;
using System.Threading.Channels;
using EdgeSplit.Transport.Duplex;

namespace EdgeSplit.Transport.Testing.Internal;

/// <summary>
/// Sends in segments. A segment occupies the link for its length divided by the bandwidth, and arrives the latency later; a
/// send completes when its last segment has left, as a full socket buffer would make it.
/// </summary>
internal sealed class ThrottledConnection : IDuplexConnection
{
    private const int SegmentBytes = 16 * 1024;
    private const int MaxSegmentsUnderWay = 4096;

    private readonly IDuplexConnection _inner;
    private readonly LinkProfile _profile;
    private readonly TimeProvider _timeProvider;
    private readonly Random _random;
    private readonly long _started;
    private readonly CancellationTokenSource _disposed = new();
    private readonly Channel<(byte[] Bytes, TimeSpan ArrivesAt)> _underWay =
        Channel.CreateBounded<(byte[], TimeSpan)>(MaxSegmentsUnderWay);
    private readonly Task _delivering;
    private TimeSpan _linkIsFreeAt;
    private TimeSpan _lastArrival;

    public ThrottledConnection(IDuplexConnection inner, LinkProfile profile, TimeProvider timeProvider)
    {
        _inner = inner;
        _profile = profile;
        _timeProvider = timeProvider;
        _random = new Random(profile.Seed);
        _started = timeProvider.GetTimestamp();
        _delivering = Task.Run(DeliverAsync);
    }

    public EndPoint? RemoteEndPoint => _inner.RemoteEndPoint;

    private TimeSpan Now => _timeProvider.GetElapsedTime(_started);

    public ValueTask<int> ReceiveAsync(Memory<byte> destination, CancellationToken cancellationToken) =>
        _inner.ReceiveAsync(destination, cancellationToken);

    public async ValueTask SendAsync(IReadOnlyList<ReadOnlyMemory<byte>> buffers, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _disposed.Token);
        try
        {
            foreach (ReadOnlyMemory<byte> buffer in buffers)
            {
                for (int offset = 0; offset < buffer.Length; offset += SegmentBytes)
                {
                    byte[] segment = buffer.Slice(offset, Math.Min(SegmentBytes, buffer.Length - offset)).ToArray();
                    await _underWay.Writer.WriteAsync((segment, Occupy(segment.Length)), either.Token).ConfigureAwait(false);
                    await DelayUntilAsync(_linkIsFreeAt, either.Token).ConfigureAwait(false);
                }
            }
        }
        catch (Exception exception) when (_disposed.IsCancellationRequested || exception is ChannelClosedException)
        {
            throw new IOException("The throttled connection was closed.", exception);
        }
    }

    public async ValueTask CompleteSendAsync(CancellationToken cancellationToken)
    {
        _underWay.Writer.TryComplete();
        await _delivering.WaitAsync(cancellationToken).ConfigureAwait(false);
        await _inner.CompleteSendAsync(cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _disposed.CancelAsync().ConfigureAwait(false);
        _underWay.Writer.TryComplete();
        await _inner.DisposeAsync().ConfigureAwait(false);
    }

    private TimeSpan Occupy(int byteCount)
    {
        TimeSpan from = Now > _linkIsFreeAt ? Now : _linkIsFreeAt;
        _linkIsFreeAt = from + TimeSpan.FromSeconds(byteCount / _profile.BytesPerSecond);
        TimeSpan arrival = _linkIsFreeAt + _profile.Latency + (_profile.Jitter * _random.NextDouble());
        return _lastArrival = arrival > _lastArrival ? arrival : _lastArrival;
    }

    private async Task DeliverAsync()
    {
        try
        {
            await foreach ((byte[] bytes, TimeSpan arrivesAt) in _underWay.Reader.ReadAllAsync(_disposed.Token).ConfigureAwait(false))
            {
                await DelayUntilAsync(arrivesAt, _disposed.Token).ConfigureAwait(false);
                await _inner.SendAsync([bytes], _disposed.Token).ConfigureAwait(false);
            }
        }
        catch (Exception)
        {
            // The peer is gone or this side was disposed of; whoever sends next is told.
            _underWay.Writer.TryComplete();
        }
    }

    private Task DelayUntilAsync(TimeSpan time, CancellationToken cancellationToken)
    {
        TimeSpan delay = time - Now;
        return delay > TimeSpan.Zero ? Task.Delay(delay, _timeProvider, cancellationToken) : Task.CompletedTask;
    }
}
