namespace EdgeSplit.Coordination.Internal;

/// <summary>Lets a bounded number of requests in, first come first served, and a bounded number wait.</summary>
internal sealed class AdmissionWindow(int maxInFlight, int maxQueued)
{
    private readonly SemaphoreSlim _free = new(maxInFlight);
    private int _waiting;
    private long _entered;

    /// <summary>Requests that were let in so far.</summary>
    public long Entered => Volatile.Read(ref _entered);

    /// <summary>Requests that are worked on.</summary>
    public int InFlight => maxInFlight - _free.CurrentCount;

    /// <summary>Enters at once or in turn; whoever entered calls <see cref="Leave"/>.</summary>
    public ValueTask EnterAsync(CancellationToken cancellationToken)
    {
        // Nobody overtakes those that wait.
        if (Volatile.Read(ref _waiting) == 0 && _free.Wait(0, cancellationToken))
        {
            Interlocked.Increment(ref _entered);
            return ValueTask.CompletedTask;
        }
        if (Interlocked.Increment(ref _waiting) > maxQueued)
        {
            Interlocked.Decrement(ref _waiting);
            throw new EdgeSplitException(
                EdgeSplitError.Overloaded,
                $"The coordinator works on {maxInFlight} requests and {maxQueued} wait, its limits. Try again later, or raise {nameof(CoordinatorOptions.MaxQueuedRequests)}.");
        }
        return WaitAsync(cancellationToken);
    }

    public void Leave() => _free.Release();

    private async ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _free.WaitAsync(cancellationToken).ConfigureAwait(false);
            Interlocked.Increment(ref _entered);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }
}
