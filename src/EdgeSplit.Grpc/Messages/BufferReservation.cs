using EdgeSplit.Agents.Internal;

namespace EdgeSplit.Grpc.Messages;

/// <summary>What one call holds of a budget; disposal gives it back. Not thread-safe.</summary>
internal sealed class BufferReservation(BufferBudget budget, PeerShare peer) : IDisposable
{
    private long _byteCount;

    /// <summary>Takes bytes more, before any memory is.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.Overloaded"/>: not that many are left.</exception>
    public void Reserve(long byteCount)
    {
        budget.Take(peer, byteCount);
        _byteCount += byteCount;
    }

    public void Dispose()
    {
        budget.Release(peer, _byteCount);
        _byteCount = 0;
    }
}
