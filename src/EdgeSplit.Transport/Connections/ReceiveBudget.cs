using EdgeSplit.Agents.Internal;

namespace EdgeSplit.Transport.Connections;

/// <summary>The receiving side's account of the bytes of bodies under way or not yet consumed: what the peer was given credit for.</summary>
/// <param name="limit">The most bytes at a time.</param>
/// <param name="peer">What all connections of the peer may hold together; null where it is the only one.</param>
/// <param name="returnCredit">Called with bytes that the peer may send again.</param>
internal sealed class ReceiveBudget(long limit, PeerShare? peer, Action<long> returnCredit)
{
    private long _used;

    /// <summary>The most bytes that all connections of the peer may hold together.</summary>
    public long PeerLimit => peer?.Limit ?? long.MaxValue;

    /// <summary>Takes bytes for a message that has arrived; false if the peer sends more than it has credit for.</summary>
    public bool TryTake(long byteCount)
    {
        if (Interlocked.Add(ref _used, byteCount) <= limit)
            return true;
        Interlocked.Add(ref _used, -byteCount);
        return false;
    }

    /// <summary>
    /// Takes bytes that <see cref="TryTake"/> took also of what all connections of the peer may hold together. Where that is too much the
    /// bytes are free again, and the message is to be refused: its sender keeps to its credit and knows nothing of the others.
    /// </summary>
    public bool TryTakeOfPeer(long byteCount)
    {
        if (peer is null || peer.TryTake(byteCount))
            return true;
        ReleaseOwn(byteCount);
        return false;
    }

    /// <summary>Gives bytes free that were consumed or dropped.</summary>
    public void Release(long byteCount)
    {
        if (byteCount == 0)
            return;
        peer?.Release(byteCount);
        ReleaseOwn(byteCount);
    }

    private void ReleaseOwn(long byteCount)
    {
        Interlocked.Add(ref _used, -byteCount);
        returnCredit(byteCount);
    }
}
