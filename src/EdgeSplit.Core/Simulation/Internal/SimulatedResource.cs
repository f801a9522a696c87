namespace EdgeSplit.Simulation.Internal;

/// <summary>Something that serves so many at a time, first come first served; who no longer waits leaves the queue.</summary>
internal sealed class SimulatedResource(TimeProvider time, int places)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<TaskCompletionSource> _queue = [];
    private int _taken;
    private long _busyTicks;
    private long _lastChangeTicks;

    /// <summary>Waits for its turn, and occupies a place for as long as the work takes then.</summary>
    /// <param name="duration">Tells, when its turn has come, how long the work takes.</param>
    /// <param name="cancellationToken">Ends the wait or the work.</param>
    /// <returns>How long the wait was, and how long the work.</returns>
    public async ValueTask<(TimeSpan Queue, TimeSpan Work)> UseAsync(Func<TimeSpan> duration, CancellationToken cancellationToken)
    {
        long came = time.GetTimestamp();
        await EnterAsync(cancellationToken).ConfigureAwait(false);
        long started = time.GetTimestamp();
        TimeSpan work = duration();
        try
        {
            await PreciseDelay.WaitAsync(time, work, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Leave();
        }
        return (time.GetElapsedTime(came, started), work);
    }

    /// <summary>The time for which places were occupied so far, summed over the places.</summary>
    public TimeSpan BusyTime
    {
        get
        {
            lock (_lock)
            {
                Count(0);
                return new TimeSpan(_busyTicks);
            }
        }
    }

    private async ValueTask EnterAsync(CancellationToken cancellationToken)
    {
        var turn = new TaskCompletionSource();
        LinkedListNode<TaskCompletionSource> node;
        lock (_lock)
        {
            if (_taken < places)
            {
                Count(1);
                return;
            }
            node = _queue.AddLast(turn);
        }
        using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(
            _ =>
            {
                lock (_lock)
                {
                    if (node.List is null)
                        return; // Its turn has come; the work sees the token.
                    _queue.Remove(node);
                }
                turn.SetCanceled(cancellationToken);
            },
            null);
        await turn.Task.ConfigureAwait(false);
    }

    private void Leave()
    {
        TaskCompletionSource? next = null;
        lock (_lock)
        {
            if (_queue.First is { } first)
            {
                // The place goes on to the next.
                _queue.RemoveFirst();
                next = first.Value;
            }
            else
            {
                Count(-1);
            }
        }
        next?.SetResult();
    }

    private void Count(int change)
    {
        long now = time.GetTimestamp();
        _busyTicks += _taken * (now - _lastChangeTicks);
        _lastChangeTicks = now;
        _taken += change;
    }
}
