namespace EdgeSplit.Transport.Testing;

/// <summary>What one direction of a <see cref="ThrottledTransport"/>'s connections is like.</summary>
public sealed record LinkProfile
{
    /// <summary>Bytes per second.</summary>
    /// <value>Default: no limit.</value>
    public double BytesPerSecond { get; init; } = double.PositiveInfinity;

    /// <summary>The time that every byte is under way after it was sent.</summary>
    public TimeSpan Latency { get; init; }

    /// <summary>The most that is added to the latency, at random. Bytes keep their order.</summary>
    public TimeSpan Jitter { get; init; }

    /// <summary>Seeds the jitter.</summary>
    public int Seed { get; init; } = 1;
}
