namespace EdgeSplit.Simulation.Internal;

/// <summary>The moments at which requests come: a Poisson process whose rate may change.</summary>
internal sealed class ArrivalProcess(TimeProvider time, double perSecond, int seed, Action arrived) : IDisposable
{
    private readonly Random _random = new(seed);
    private ITimer? _timer;

    public void Start()
    {
        _timer = time.CreateTimer(_ => OnDue(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        SetNext();
    }

    /// <summary>Changes the rate from now on; the process has no memory, so the wait begins anew.</summary>
    public void SetRate(double newPerSecond)
    {
        perSecond = newPerSecond;
        SetNext();
    }

    public void Dispose() => _timer?.Dispose();

    private void OnDue()
    {
        SetNext();
        arrived();
    }

    private void SetNext() => _timer?.Change(
        perSecond > 0 ? TimeSpan.FromSeconds(-Math.Log(1 - _random.NextDouble()) / perSecond) : Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
}
