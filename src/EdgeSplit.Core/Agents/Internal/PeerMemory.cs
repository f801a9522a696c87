using System.Net;

namespace EdgeSplit.Agents.Internal;

/// <summary>
/// What each peer of a listener makes it hold in tensors, added up over all its connections: opening more of them gives a peer no more
/// memory. Thread-safe.
/// </summary>
/// <param name="limit">The most bytes for one peer.</param>
internal sealed class PeerMemory(long limit)
{
    private readonly Lock _gate = new();
    // Only those that hold something, so that nobody fills it by coming from many addresses.
    private readonly Dictionary<IPAddress, long> _used = [];

    /// <summary>The most bytes for one peer.</summary>
    public long Limit => limit;

    /// <summary>What a connection from an address, or a call, takes its memory of.</summary>
    public PeerShare Of(IPAddress? address) => new(this, PeerNetwork.Of(address));

    /// <summary>Takes bytes for a peer, before any memory is; false if it would hold more than the limit.</summary>
    public bool TryTake(IPAddress peer, long byteCount)
    {
        if (byteCount == 0)
            return true;
        lock (_gate)
        {
            long used = _used.GetValueOrDefault(peer);
            if (byteCount > limit - used)
                return false;
            _used[peer] = used + byteCount;
            return true;
        }
    }

    /// <summary>Gives bytes back.</summary>
    public void Release(IPAddress peer, long byteCount)
    {
        if (byteCount == 0)
            return;
        lock (_gate)
        {
            long left = _used[peer] - byteCount;
            if (left == 0)
                _used.Remove(peer);
            else
                _used[peer] = left;
        }
    }
}
