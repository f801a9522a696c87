namespace EdgeSplit.Transport.Duplex.Internal;

/// <summary>A connection over something that queues bytes before it sends them, and can be told to queue few.</summary>
internal interface IUnsentLimit
{
    /// <summary>
    /// Whether only few bytes may be queued. On a slow link megabytes that wait in the kernel would hold up a heartbeat for as long as
    /// they take; on a fast one they take no time, and queueing few costs throughput.
    /// </summary>
    void LimitUnsent(bool isLimited);
}
