using EdgeSplit.Costs.Internal;

namespace EdgeSplit.Coordination.Adaptation.Internal;

/// <summary>
/// What tensors of one kind took on their way of late. Queues make single transfers slow, so the least of some is compared with what it
/// was predicted or at first, or when it was last accepted; where a few in a row took several times as long, so that there are few, those are enough. Not thread-safe.
/// </summary>
internal sealed class TransferTimes
{
    private const int LeastOf = 8;
    private const int Few = 4;
    private const double SeveralTimes = 3;
    private const double TellingFactor = 5;

    private readonly SampleWindow<double> _seconds = new(2 * LeastOf);
    private double _expected = double.NaN;
    private double? _predicted;

    /// <summary>Says what a link is known to take for it, so that first transfers that take several times as long are a change.</summary>
    public void Predict(double seconds) => _predicted = seconds > 0 ? seconds : null;

    public void Add(double seconds)
    {
        _seconds.Add(Math.Max(seconds, 0));
        if (_seconds.Count == LeastOf && double.IsNaN(_expected))
            _expected = Least();
    }

    /// <summary>The least time before and now where it has changed by more than a share and more than what is negligible; null where not.</summary>
    public (double Before, double Now)? Change(double share, double negligibleSeconds)
    {
        if (double.IsNaN(_expected))
            return FirstFew(negligibleSeconds);
        // A link's own time is the least of what a transfer takes, so only far more tells of it.
        if (_predicted is { } predicted && _expected > predicted * Math.Max(SeveralTimes, 1 + share) && _expected - predicted > TellingFactor * negligibleSeconds)
            return (predicted, Least());
        if (_seconds.Count < LeastOf + Few)
            return null;
        double few = _seconds.Latest(Few).Min();
        if (few > _expected * Math.Max(SeveralTimes, 1 + share) && few - _expected > negligibleSeconds)
            return (_expected, few);
        if (_seconds.Count < 2 * LeastOf)
            return null;
        double now = Least();
        return Math.Abs(now - _expected) > negligibleSeconds && (now > _expected * (1 + share) || now < _expected / (1 + share)) ? (_expected, now) : null;
    }

    // Over a link that has become slow before the first transfers, eight of them may take half a minute.
    private (double Before, double Now)? FirstFew(double negligibleSeconds)
    {
        if (_predicted is not { } predicted || _seconds.Count < Few)
            return null;
        double few = _seconds.Latest(Few).Min();
        return few > TellingFactor * predicted && few - predicted > TellingFactor * negligibleSeconds ? (predicted, few) : null;
    }

    /// <summary>Takes the least time now as what is expected, or that of a few where they are what has changed.</summary>
    /// <param name="share">The share that counts as a change.</param>
    /// <param name="negligibleSeconds">What does not count.</param>
    public void Accept(double share, double negligibleSeconds)
    {
        // Of fewer it cannot be told whether they have changed, so what is expected stays until it can.
        if (Change(share, negligibleSeconds) is var (_, now))
            _expected = now;
        else if (_seconds.Count >= 2 * LeastOf)
            _expected = Least();
        if (!double.IsNaN(_expected))
            _predicted = null;
    }

    private double Least() => _seconds.Latest(LeastOf).Min();
}
