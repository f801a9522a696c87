namespace EdgeSplit.Devices;

/// <summary>What planning knows of a device: an agent's, or the coordinator's own.</summary>
public sealed record Device
{
    /// <summary>The agent's id.</summary>
    public required string Id { get; init; }

    /// <summary>Floating-point operations per second that the device reaches on dense work.</summary>
    /// <value>Default: 10 GFLOP/s, about one small core.</value>
    public double FlopsPerSecond { get; init; } = 10e9;

    /// <summary>Bytes per second between the device's processor and its memory.</summary>
    /// <value>Default: 5 GB/s.</value>
    public double MemoryBytesPerSecond { get; init; } = 5e9;

    /// <summary>Seconds that every layer costs on top of its work.</summary>
    /// <value>Default: 5 µs.</value>
    public double LayerOverheadSeconds { get; init; } = 5e-6;

    /// <summary>Bytes of memory that weights and activations may take.</summary>
    /// <value>Default: no limit.</value>
    public long MemoryBytes { get; init; } = long.MaxValue;

    /// <summary>The share of the device in 0..1 that is taken by other work now; its rates shrink by it.</summary>
    public double CurrentLoad { get; init; }

    /// <summary>The share of the device in 0..1 that may be taken in all, other work included.</summary>
    /// <value>Default: 1.</value>
    public double AllowedLoad { get; init; } = 1;

    /// <summary>Power drawn when idle, in watts.</summary>
    public double IdleWatts { get; init; }

    /// <summary>Power drawn when computing, in watts.</summary>
    /// <value>Default: 5 W.</value>
    public double ActiveWatts { get; init; } = 5;

    /// <summary>Stages that the device runs at the same time.</summary>
    /// <value>Default: 1.</value>
    public int ConcurrentStages { get; init; } = 1;

    /// <summary>
    /// Whether the device sends one value at a time and receives one at a time. Where not, its transfers load only their
    /// other ends: a host whose memory each accelerator reaches by a bus of its own.
    /// </summary>
    /// <value>Default: true.</value>
    public bool HasSharedInterface { get; init; } = true;

    /// <summary>Whether the device runs layers; one that does not only sends requests and receives results.</summary>
    /// <value>Default: true.</value>
    public bool RunsLayers { get; init; } = true;

    /// <summary>Whether this is the coordinator itself, where layers go that fit nowhere else.</summary>
    public bool IsCoordinator { get; init; }

    /// <summary>Where the rates come from.</summary>
    public CostOrigin Origin { get; init; }
}
