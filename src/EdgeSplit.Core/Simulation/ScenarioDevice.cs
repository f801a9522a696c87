using EdgeSplit.Devices;

namespace EdgeSplit.Simulation;

/// <summary>A machine of a scenario, with its link to the network.</summary>
public sealed record ScenarioDevice
{
    /// <summary>The device as its agent describes it; it computes at exactly these rates until a change says otherwise.</summary>
    public required Device Device { get; init; }

    /// <summary>The one-way latency to the coordinator.</summary>
    /// <value>Default: 0.5 ms.</value>
    public TimeSpan Latency { get; init; } = TimeSpan.FromMilliseconds(0.5);

    /// <summary>Bytes per second, each way.</summary>
    /// <value>Default: 12.5 MB/s, 100 Mbit/s.</value>
    public double BytesPerSecond { get; init; } = 12.5e6;

    /// <summary>Whether its agent runs from the start; otherwise it comes with <see cref="ScenarioEvent.Join"/>.</summary>
    /// <value>Default: true.</value>
    public bool IsPresent { get; init; } = true;
}
