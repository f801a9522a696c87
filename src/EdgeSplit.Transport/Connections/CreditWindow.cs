using EdgeSplit.Transport.Framing;

namespace EdgeSplit.Transport.Connections;

/// <summary>
/// The sending side's view of what the peer has room for. The bytes of a message's body are taken as a whole before the
/// message starts, first come first served, so that a message that has started can always end.
/// </summary>
/// <param name="limit">What the peer has room for in all, in bytes.</param>
/// <param name="onBlocked">Called when someone must wait: tells the peer, which may be holding back returns.</param>
internal sealed class CreditWindow(long limit, Action onBlocked)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<Waiter> _waiters = [];
    private readonly long _limit = limit;
    private long _available = limit;
    private EdgeSplitException? _closed;

    /// <summary>Takes credit, waiting for it if need be. No more than the limit may be asked for.</summary>
    public ValueTask AcquireAsync(long byteCount, CancellationToken cancellationToken)
    {
        Waiter waiter;
        lock (_gate)
        {
            if (_closed is not null)
                return ValueTask.FromException(_closed);
            // What has no body waits for nothing: a report must get through when tensors do not.
            if (byteCount == 0 || (byteCount <= _available && _waiters.Count == 0))
            {
                _available -= byteCount;
                return ValueTask.CompletedTask;
            }
            waiter = new Waiter(byteCount);
            _waiters.AddLast(waiter);
        }
        onBlocked();
        return WaitAsync(waiter, cancellationToken);
    }

    /// <summary>Gives back credit that was taken and not used.</summary>
    public void Restore(long byteCount)
    {
        lock (_gate)
        {
            _available += byteCount;
            Serve();
        }
    }

    /// <summary>Takes in credit that the peer has returned.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.ProtocolViolation"/>: more than was taken.</exception>
    public void Return(ulong byteCount)
    {
        lock (_gate)
        {
            if (byteCount > (ulong)(_limit - _available))
                throw ProtocolError.Violation("it returned more credit than was in use");
            _available += (long)byteCount;
            Serve();
        }
    }

    /// <summary>Ends all waiting, now and later.</summary>
    public void Close(EdgeSplitException reason)
    {
        lock (_gate)
        {
            _closed ??= reason;
            foreach (Waiter waiter in _waiters)
                waiter.TrySetException(reason);
            _waiters.Clear();
        }
    }

    private async ValueTask WaitAsync(Waiter waiter, CancellationToken cancellationToken)
    {
        using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(
            static (state, token) => ((Waiter)state!).TrySetCanceled(token), waiter);
        try
        {
            await waiter.Task.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            lock (_gate)
            {
                _waiters.Remove(waiter);
                Serve();
            }
            throw;
        }
    }

    private void Serve()
    {
        while (_waiters.First is { } first)
        {
            Waiter waiter = first.Value;
            if (waiter.ByteCount > _available && !waiter.Task.IsCompleted)
                return;
            _waiters.RemoveFirst();
            if (waiter.TrySetResult())
                _available -= waiter.ByteCount;
        }
    }

    private sealed class Waiter(long byteCount) : TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public long ByteCount { get; } = byteCount;
    }
}
