namespace EdgeSplit.Grpc.Messages;

/// <summary>What all calls of a server may hold in tensors at a time.</summary>
internal sealed class BufferBudget(long limit)
{
    private long _used;

    /// <summary>Takes bytes, before any memory is.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.Overloaded"/>: not that many are left.</exception>
    public void Reserve(long byteCount)
    {
        if (Interlocked.Add(ref _used, byteCount) <= limit)
            return;
        Interlocked.Add(ref _used, -byteCount);
        throw new EdgeSplitException(
            EdgeSplitError.Overloaded,
            $"Requests under way hold nearly {limit} bytes of tensors, the limit, and this one has {byteCount}. Try again later, or raise {nameof(GrpcServiceOptions.MaxBufferedBytes)}.");
    }

    /// <summary>Gives bytes back.</summary>
    public void Release(long byteCount) => Interlocked.Add(ref _used, -byteCount);
}
