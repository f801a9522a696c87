namespace EdgeSplit.Monitoring.Internal;

/// <summary>Reads what an operating system counts. Never throws.</summary>
internal interface ISystemCounters
{
    CounterReading Read();
}

/// <summary>Counters and gauges at one moment; null where the system does not tell.</summary>
internal sealed record CounterReading
{
    public double? HostBusyTicks { get; init; }

    public double? HostTotalTicks { get; init; }

    public double? ProcessCpuSeconds { get; init; }

    /// <summary>Processors that the process may use; a control group can grant fractions.</summary>
    public double AllowedProcessors { get; init; } = Environment.ProcessorCount;

    public long? AvailableMemoryBytes { get; init; }

    public long? ProcessMemoryBytes { get; init; }

    public double? AcceleratorLoad { get; init; }

    public long? AcceleratorAvailableMemoryBytes { get; init; }

    public double? ReceivedBytes { get; init; }

    public double? SentBytes { get; init; }

    public double? TemperatureCelsius { get; init; }

    public double? PowerWatts { get; init; }

    public double? BatteryCharge { get; init; }
}
