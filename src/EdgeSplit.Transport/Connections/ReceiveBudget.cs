namespace EdgeSplit.Transport.Connections;

/// <summary>The receiving side's account of the bytes of bodies under way or not yet consumed: what the peer was given credit for.</summary>
/// <param name="limit">The most bytes at a time.</param>
/// <param name="returnCredit">Called with bytes that the peer may send again.</param>
internal sealed class ReceiveBudget(long limit, Action<long> returnCredit)
{
    private long _used;

    /// <summary>Takes bytes for a message that has arrived; false if the peer sends more than it has credit for.</summary>
    public bool TryTake(long byteCount)
    {
        if (Interlocked.Add(ref _used, byteCount) <= limit)
            return true;
        Interlocked.Add(ref _used, -byteCount);
        return false;
    }

    /// <summary>Gives bytes free that were consumed or dropped.</summary>
    public void Release(long byteCount)
    {
        if (byteCount == 0)
            return;
        Interlocked.Add(ref _used, -byteCount);
        returnCredit(byteCount);
    }
}
