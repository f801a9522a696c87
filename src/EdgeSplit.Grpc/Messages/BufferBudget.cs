using System.Net;
using EdgeSplit.Agents.Internal;

namespace EdgeSplit.Grpc.Messages;

/// <summary>What all calls of a server may hold in tensors at a time, and those from one address.</summary>
/// <param name="limit">The most bytes for all.</param>
/// <param name="limitPerPeer">The most bytes for one address.</param>
internal sealed class BufferBudget(long limit, long limitPerPeer)
{
    private readonly PeerMemory _peers = new(limitPerPeer);
    private long _used;

    /// <summary>The budget that the options set.</summary>
    public static BufferBudget Of(GrpcServiceOptions options) => new(options.MaxBufferedBytes, options.MaxBufferedBytesPerPeer);

    /// <summary>What one call will take; it holds nothing yet.</summary>
    public BufferReservation For(IPAddress? peer) => new(this, _peers.Of(peer));

    /// <summary>Takes bytes, before any memory is.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.Overloaded"/>: not that many are left.</exception>
    public void Take(PeerShare peer, long byteCount)
    {
        if (!peer.TryTake(byteCount))
        {
            throw new EdgeSplitException(
                EdgeSplitError.Overloaded,
                $"Requests from your address hold nearly {limitPerPeer} bytes of tensors, the limit, and this one has {byteCount}. Try again later, or raise {nameof(GrpcServiceOptions.MaxBufferedBytesPerPeer)}.");
        }
        if (Interlocked.Add(ref _used, byteCount) <= limit)
            return;
        Release(peer, byteCount);
        throw new EdgeSplitException(
            EdgeSplitError.Overloaded,
            $"Requests under way hold nearly {limit} bytes of tensors, the limit, and this one has {byteCount}. Try again later, or raise {nameof(GrpcServiceOptions.MaxBufferedBytes)}.");
    }

    /// <summary>Gives bytes back.</summary>
    public void Release(PeerShare peer, long byteCount)
    {
        Interlocked.Add(ref _used, -byteCount);
        peer.Release(byteCount);
    }
}
