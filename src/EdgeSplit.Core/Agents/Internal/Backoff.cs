namespace EdgeSplit.Agents.Internal;

/// <summary>Waits longer after each failure in a row, at random between half and all of it, so that not all come back at once.</summary>
internal sealed class Backoff
{
    private readonly TimeSpan _shortest;
    private readonly TimeSpan _longest;
    private TimeSpan _next;

    public Backoff(TimeSpan shortest, TimeSpan longest) => (_shortest, _longest, _next) = (shortest, longest, shortest);

    /// <summary>The wait before the next try.</summary>
    public TimeSpan Next()
    {
        TimeSpan delay = _next * (0.5 + (Random.Shared.NextDouble() / 2));
        _next = _next * 2 < _longest ? _next * 2 : _longest;
        return delay;
    }

    /// <summary>Starts anew after a connection that lived for some time: one that breaks at once again and again is a failure.</summary>
    public void Connected(TimeSpan lifetime)
    {
        if (lifetime >= _longest || lifetime >= _next)
            _next = _shortest;
    }
}
