namespace EdgeSplit.Transport.Duplex.Internal;

/// <summary>A connection whose system buffers what is sent, and can be told how much.</summary>
internal interface IPacedConnection : IDuplexConnection
{
    /// <summary>Whether both ends are in one machine.</summary>
    bool StaysInMachine { get; }

    /// <summary>
    /// Lets the system queue few bytes that it has not sent: those that it has queued when a link becomes slow hold up every heartbeat
    /// behind them, and it would queue megabytes.
    /// </summary>
    void LimitUnsent(int byteCount);
}
