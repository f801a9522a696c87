namespace EdgeSplit.Coordination.Internal;

/// <summary>Lets a bounded number of requests in, and a bounded number wait.</summary>
/// <remarks>
/// First come, first served, until a caller gives up: then more come than can be served, and whoever has waited longest is the next
/// to give up, so serving them in turn would serve nobody in time. From then on the newest is served first, until nobody waits
/// (adaptive LIFO: Maurer, "Fail at Scale", ACM Queue 13(8), 2015).
/// </remarks>
internal sealed class AdmissionWindow(int maxInFlight, int maxQueued)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Waiter> _waiting = [];
    private int _limit = int.MaxValue;
    private int _inFlight;
    private bool _isNewestFirst;
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
    public ValueTask EnterAsync(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        Waiter waiter;
        lock (_lock)
        {
            // Nobody overtakes those that wait.
            if (_waiting.Count == 0 && _inFlight < Math.Min(_limit, maxInFlight))
            {
                _inFlight++;
                _entered++;
                return ValueTask.CompletedTask;
            }
            if (_waiting.Count >= maxQueued)
            {
                throw new EdgeSplitException(
                    EdgeSplitError.Overloaded,
                    $"The coordinator works on {_inFlight} requests and {maxQueued} wait, its limits. Try again later, or raise {nameof(CoordinatorOptions.MaxQueuedRequests)}.");
            }
            waiter = new Waiter();
            waiter.Node = _waiting.AddLast(waiter);
        }
        return WaitAsync(waiter, cancellationToken);
    }

    /// <param name="gaveUp">Whether the caller took the request back before it had ended.</param>
    public void Leave(bool gaveUp = false)
    {
        lock (_lock)
        {
            _inFlight--;
            _isNewestFirst |= gaveUp && _waiting.Count > 0;
        }
        Admit();
    }

    private void Admit()
    {
        while (true)
        {
            Waiter next;
            lock (_lock)
            {
                if (_waiting.Count == 0)
                    _isNewestFirst = false;
                if (_waiting.Count == 0 || _inFlight >= Math.Min(_limit, maxInFlight))
                    return;
                next = (_isNewestFirst ? _waiting.Last : _waiting.First)!.Value;
                _waiting.Remove(next.Node!);
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
                if (waiter.Node!.List is null)
                    return; // It has entered, and sees the token by itself.
                _waiting.Remove(waiter.Node);
                _isNewestFirst = _waiting.Count > 0;
            }
            waiter.Turn.SetCanceled(token);
        }
    }

    private sealed class Waiter
    {
        public TaskCompletionSource Turn { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public LinkedListNode<Waiter>? Node { get; set; }
    }
}
