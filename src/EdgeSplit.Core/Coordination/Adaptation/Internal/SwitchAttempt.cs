using EdgeSplit.Coordination.Internal;

namespace EdgeSplit.Coordination.Adaptation.Internal;

/// <summary>A switch that is being made, which may be given up.</summary>
internal sealed class SwitchAttempt : IDisposable
{
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _stop;
    private bool _isEnded;

    /// <param name="epoch">What is in use.</param>
    /// <param name="conditions">What the switch was decided on.</param>
    /// <param name="overdueAt">The timestamp by which it should have been made.</param>
    /// <param name="cancellationToken">Stops it for other reasons.</param>
    public SwitchAttempt(PlanEpoch epoch, Conditions conditions, long overdueAt, CancellationToken cancellationToken)
    {
        (Epoch, Conditions, OverdueAt) = (epoch, conditions, overdueAt);
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Token = _stop.Token;
    }

    public PlanEpoch Epoch { get; }

    public Conditions Conditions { get; }

    public long OverdueAt { get; }

    public CancellationToken Token { get; }

    public string? WhyGivenUp { get; private set; }

    /// <summary>Stops it; of no effect once it has ended.</summary>
    public void GiveUp(string why)
    {
        lock (_lock)
        {
            if (_isEnded || WhyGivenUp is not null)
                return;
            WhyGivenUp = why;
            _ = _stop.CancelAsync();
        }
    }

    public void Dispose()
    {
        lock (_lock)
            _isEnded = true;
        _stop.Dispose();
    }
}
