using EdgeSplit.Costs.Internal;

namespace EdgeSplit.Coordination.Adaptation.Internal;

/// <summary>
/// What tensors of one kind took on their way of late. Queues make single transfers slow, so the least of some is compared with what it
/// was at first, or when it was last accepted. Not thread-safe.
/// </summary>
internal sealed class TransferTimes
{
    private const int LeastOf = 8;

    private readonly SampleWindow<double> _seconds = new(2 * LeastOf);
    private double _expected = double.NaN;

    public void Add(double seconds)
    {
        _seconds.Add(Math.Max(seconds, 0));
        if (_seconds.Count == LeastOf && double.IsNaN(_expected))
            _expected = Least();
    }

    /// <summary>The least time before and now where it has changed by more than a share and more than what is negligible; null where not.</summary>
    public (double Before, double Now)? Change(double share, double negligibleSeconds)
    {
        if (_seconds.Count < 2 * LeastOf || double.IsNaN(_expected))
            return null;
        double now = Least();
        return Math.Abs(now - _expected) > negligibleSeconds && (now > _expected * (1 + share) || now < _expected / (1 + share)) ? (_expected, now) : null;
    }

    /// <summary>Takes the least time now as what is expected.</summary>
    public void Accept()
    {
        if (_seconds.Count >= LeastOf)
            _expected = Least();
    }

    private double Least() => _seconds.Latest(LeastOf).Min();
}
