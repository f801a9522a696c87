using EdgeSplit.Coordination.Membership;

namespace EdgeSplit.Coordination.Internal;

/// <summary>When an agent was lost, and how long it has to wait when it comes back too often.</summary>
internal sealed class FlapHistory
{
    private readonly Queue<DateTimeOffset> _losses = new();
    private DateTimeOffset _lastQuarantineEnd = DateTimeOffset.MinValue;
    private TimeSpan _lastQuarantine;

    public void NoteLoss(DateTimeOffset now, MembershipOptions options)
    {
        _losses.Enqueue(now);
        Forget(now, options);
    }

    /// <summary>The quarantine of an agent that comes back now, or null.</summary>
    public TimeSpan? QuarantineAt(DateTimeOffset now, MembershipOptions options)
    {
        Forget(now, options);
        if (_losses.Count < options.FlapLimit)
            return null;
        bool isRepeated = now - _lastQuarantineEnd < options.FlapWindow;
        _lastQuarantine = isRepeated ? 2 * _lastQuarantine : options.Quarantine;
        if (_lastQuarantine > options.LongestQuarantine)
            _lastQuarantine = options.LongestQuarantine;
        _lastQuarantineEnd = now + _lastQuarantine;
        return _lastQuarantine;
    }

    private void Forget(DateTimeOffset now, MembershipOptions options)
    {
        // What lies before a quarantine has been paid for.
        while (_losses.TryPeek(out DateTimeOffset loss) && now - loss > options.FlapWindow)
            _losses.Dequeue();
    }
}
