namespace EdgeSplit.Partitioning.Internal;

/// <summary>
/// What a search may still do, counted in layers and values touched, so that the same problem gives the same plan on any
/// machine. A wall-clock limit well above the usual time stops it on machines that are far slower. Not thread-safe.
/// </summary>
internal sealed class WorkBudget
{
    /// <summary>About what one core of 2020 touches; measured with the placement benchmark.</summary>
    private const double WorkPerSecond = 60e6;

    private const double SlowestMachine = 20;

    private const int SpendsPerClockCheck = 64;

    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly TimeSpan _limit;
    private readonly CancellationToken _cancellation;
    private int _spends;
    private bool _isStopped;

    private readonly WorkBudget? _whole;

    public WorkBudget(TimeSpan budget, TimeProvider time, CancellationToken cancellation)
    {
        Total = (long)Math.Min(long.MaxValue / 4, budget.TotalSeconds * WorkPerSecond);
        _time = time;
        _start = time.GetTimestamp();
        _limit = budget < TimeSpan.MaxValue / SlowestMachine ? budget * SlowestMachine : TimeSpan.MaxValue;
        _cancellation = cancellation;
    }

    private WorkBudget(WorkBudget whole, long total)
    {
        (_whole, Total) = (whole, total);
        (_time, _start, _limit, _cancellation) = (whole._time, whole._start, whole._limit, whole._cancellation);
    }

    /// <summary>A budget that only cancellation ends.</summary>
    public static WorkBudget Unlimited(CancellationToken cancellation) => new(TimeSpan.MaxValue, TimeProvider.System, cancellation);

    public long Total { get; }

    public long Spent { get; private set; }

    private long Left => IsOver ? 0 : Total - Spent;

    /// <summary>Whether the work is done or the search was stopped.</summary>
    public bool IsOver => _isStopped || Spent >= Total || _cancellation.IsCancellationRequested;

    /// <summary>A budget of a share of what is left, which counts for the whole too.</summary>
    public WorkBudget Part(double share) => new(this, (long)(Left * share));

    /// <summary>Counts work; false where there is none left.</summary>
    public bool Spend(long work)
    {
        Spent += work;
        _whole?.Spend(work);
        if (++_spends % SpendsPerClockCheck == 0 && _time.GetElapsedTime(_start) > _limit)
            _isStopped = true;
        return !IsOver;
    }
}
