namespace EdgeSplit.Transport.Connections;

/// <summary>Waits longer after each failure in a row, at random between half and all of it.</summary>
internal sealed class Backoff(ConnectOptions options)
{
    private TimeSpan _next = options.RetryDelay;

    /// <summary>The wait before the next try.</summary>
    public TimeSpan Next()
    {
        TimeSpan delay = _next * (0.5 + (Random.Shared.NextDouble() / 2));
        _next = _next * 2 < options.MaxRetryDelay ? _next * 2 : options.MaxRetryDelay;
        return delay;
    }

    /// <summary>Starts anew after a connection that lived for some time: one that breaks at once again and again is a failure.</summary>
    public void Connected(TimeSpan lifetime)
    {
        if (lifetime >= options.MaxRetryDelay || lifetime >= _next)
            _next = options.RetryDelay;
    }
}
