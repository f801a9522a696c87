namespace EdgeSplit.Testbed.Chaos;

/// <summary>How a <see cref="ChaosRun"/> goes.</summary>
public sealed record ChaosOptions
{
    /// <summary>Which faults strike, and whom.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>How long faults strike; the last one is seen to its end.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>From the end of a fault until the next: short ones find nothing that stands by yet.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromSeconds(0.5);

    /// <summary>The number of agents.</summary>
    public int Agents { get; init; } = 4;

    /// <summary>The requests in flight at a time.</summary>
    public int InFlight { get; init; } = 4;

    /// <summary>The model of the zoo that is served.</summary>
    public string Model { get; init; } = "mobilenetv2";

    /// <summary>Told of each fault when it is over.</summary>
    public Action<Fault>? Progress { get; init; }
}
