namespace EdgeSplit.Coordination.Internal;

/// <summary>Lets a bounded number of requests in, and a bounded number wait, fairly among clients (<see cref="FairQueue{T}"/>).</summary>
internal sealed class AdmissionWindow(int maxInFlight, int maxQueued)
{
    private readonly Lock _lock = new();
    private readonly FairQueue<Waiter> _waiting = new();
    private int _limit = int.MaxValue;
    private int _inFlight;
    private long _entered;

    /// <summary>Requests that were let in so far.</summary>
    public long Entered => Volatile.Read(ref _entered);

    /// <summary>Requests that are worked on.</summary>
    public int InFlight => Volatile.Read(ref _inFlight);

    /// <summary>Requests that wait for their turn.</summary>
    public int Queued
    {
        get
        {
            lock (_lock)
                return _waiting.Count;
        }
    }

    /// <summary>Lets fewer in than at most, or as many again: more than the plans' stages work on would only wait at the agents.</summary>
    public void Limit(int count)
    {
        lock (_lock)
            _limit = Math.Max(count, 1);
        Admit();
    }

    /// <summary>Enters at once or in turn; whoever entered calls <see cref="Leave"/>.</summary>
    public ValueTask EnterAsync(string client, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        Waiter waiter;
        Waiter? evicted = null;
        lock (_lock)
        {
            // Nobody overtakes those that wait.
            if (_waiting.Count == 0 && _inFlight < Math.Min(_limit, maxInFlight))
            {
                _inFlight++;
                _entered++;
                return ValueTask.CompletedTask;
            }
            if (_waiting.Count >= maxQueued && !_waiting.TryEvictFor(client, out evicted))
                throw Overloaded();
            waiter = new Waiter();
            waiter.Entry = _waiting.Add(client, waiter);
        }
        evicted?.Turn.TrySetException(Overloaded());
        return WaitAsync(waiter, cancellationToken);
    }

    /// <param name="client">The client that entered.</param>
    /// <param name="gaveUp">Whether the caller took the request back before it had ended.</param>
    public void Leave(string client, bool gaveUp = false)
    {
        lock (_lock)
        {
            _inFlight--;
            if (gaveUp)
                _waiting.NoteGivenUp(client);
        }
        Admit();
    }

    private void Admit()
    {
        while (true)
        {
            Waiter? next;
            lock (_lock)
            {
                if (_inFlight >= Math.Min(_limit, maxInFlight) || !_waiting.TryTake(out next))
                    return;
                _inFlight++;
                _entered++;
            }
            next.Turn.SetResult();
        }
    }

    private async ValueTask WaitAsync(Waiter waiter, CancellationToken cancellationToken)
    {
        using (cancellationToken.UnsafeRegister(static (state, token) => ((Action<CancellationToken>)state!)(token), (Action<CancellationToken>)GiveUp))
        {
            EdgeSplitTelemetry.RequestsQueued.Add(1);
            try
            {
                await waiter.Turn.Task.ConfigureAwait(false);
            }
            finally
            {
                EdgeSplitTelemetry.RequestsQueued.Add(-1);
            }
        }

        void GiveUp(CancellationToken token)
        {
            lock (_lock)
            {
                if (!_waiting.Remove(waiter.Entry))
                    return; // It has entered, and sees the token by itself, or was turned away.
            }
            waiter.Turn.TrySetCanceled(token);
        }
    }

    private EdgeSplitException Overloaded() => new(
        EdgeSplitError.Overloaded,
        $"The coordinator works on {InFlight} requests and {maxQueued} wait, its limits. Try again later, or raise {nameof(CoordinatorOptions.MaxQueuedRequests)}.");

    private sealed class Waiter
    {
        public TaskCompletionSource Turn { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public FairQueue<Waiter>.Entry Entry { get; set; }
    }
}
