namespace EdgeSplit.Monitoring;

/// <summary>The use of a machine's resources; null where the system does not tell.</summary>
public sealed record ResourceSample
{
    /// <summary>The share in 0..1 of the processors that this process may use, which is in use, by anyone. A limit on its time, unlike one on its processors, does not count here.</summary>
    public double? HostCpuLoad { get; init; }

    /// <summary>The share in 0..1 of the processors that this process may use, that it uses.</summary>
    public double? ProcessCpuLoad { get; init; }

    /// <summary>Bytes of memory that could be taken now.</summary>
    public long? AvailableMemoryBytes { get; init; }

    /// <summary>Bytes of memory that this process holds.</summary>
    public long? ProcessMemoryBytes { get; init; }

    /// <summary>The share in 0..1 of the accelerator that is in use.</summary>
    public double? AcceleratorLoad { get; init; }

    /// <summary>Bytes of memory that the accelerator could give now.</summary>
    public long? AcceleratorAvailableMemoryBytes { get; init; }

    /// <summary>Bytes per second received from the network, all interfaces but loopback.</summary>
    public double? ReceivedBytesPerSecond { get; init; }

    /// <summary>Bytes per second sent to the network, all interfaces but loopback.</summary>
    public double? SentBytesPerSecond { get; init; }

    /// <summary>The hottest sensor in degrees Celsius.</summary>
    public double? TemperatureCelsius { get; init; }

    /// <summary>Power drawn in watts.</summary>
    public double? PowerWatts { get; init; }

    /// <summary>The battery's charge in 0..1.</summary>
    public double? BatteryCharge { get; init; }
}
