namespace EdgeSplit.Simulation;

/// <summary>A clock that stands still until it is told to go on to the next timer, so that hours pass in seconds and every run is the same.</summary>
/// <remarks>Thread-safe. Timers that are due at the same time fire in the order in which they were set, on the thread that advances the clock.</remarks>
public sealed class VirtualTimeProvider : TimeProvider
{
    private static readonly DateTimeOffset Epoch = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Lock _lock = new();
    private readonly PriorityQueue<(VirtualTimer Timer, long Setting), (long DueTicks, long Order)> _queue = new();
    private long _nowTicks;
    private long _order;

    /// <summary>The time since the clock was made.</summary>
    public TimeSpan Elapsed => new(GetTimestamp());

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <inheritdoc/>
    public override long GetTimestamp() => Volatile.Read(ref _nowTicks);

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => Epoch.AddTicks(GetTimestamp());

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        var timer = new VirtualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Goes on to the timer that is due next, and fires it.</summary>
    /// <param name="limit">How far the clock may go.</param>
    /// <returns>False where no timer is due up to then; the clock then stays where it is.</returns>
    public bool TryAdvance(TimeSpan limit)
    {
        VirtualTimer timer;
        lock (_lock)
        {
            while (true)
            {
                if (!_queue.TryPeek(out (VirtualTimer Timer, long Setting) next, out (long DueTicks, long) priority))
                    return false;
                if (next.Timer.Setting != next.Setting)
                {
                    _queue.Dequeue(); // Disposed of or set anew since.
                    continue;
                }
                if (priority.DueTicks > limit.Ticks)
                    return false;
                _queue.Dequeue();
                Volatile.Write(ref _nowTicks, Math.Max(_nowTicks, priority.DueTicks));
                timer = next.Timer;
                if (timer.PeriodTicks > 0)
                    Enqueue(timer, priority.DueTicks + timer.PeriodTicks);
                break;
            }
        }
        timer.Callback(timer.State);
        return true;
    }

    private void Enqueue(VirtualTimer timer, long dueTicks) => _queue.Enqueue((timer, timer.Setting), (dueTicks, _order++));

    private sealed class VirtualTimer(VirtualTimeProvider clock, TimerCallback callback, object? state) : ITimer
    {
        public TimerCallback Callback => callback;

        public object? State => state;

        public long PeriodTicks { get; private set; }

        /// <summary>Counts up whenever the timer is set; what is queued for an earlier setting no longer counts.</summary>
        public long Setting { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock._lock)
            {
                Setting++;
                PeriodTicks = period == Timeout.InfiniteTimeSpan ? 0 : period.Ticks;
                if (dueTime != Timeout.InfiniteTimeSpan)
                    clock.Enqueue(this, clock._nowTicks + Math.Max(dueTime.Ticks, 0));
                return true;
            }
        }

        public void Dispose()
        {
            lock (clock._lock)
                Setting++;
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
