using EdgeSplit.Monitoring.Internal;

namespace EdgeSplit.Monitoring;

/// <summary>Reads the resources of this machine from its operating system.</summary>
/// <remarks>
/// On Linux from <c>/proc</c> and <c>/sys</c>, the limits of control groups (versions 1 and 2) included; what changes slowly there
/// (limits, temperature, power, battery, accelerator) is read once a second at most, and new devices are found within a minute.
/// Elsewhere what .NET itself tells, which is no load of the host, temperature, power or battery.
/// </remarks>
public sealed class SystemResourceMonitor : IResourceMonitor
{
    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly ISystemCounters _counters;
    private CounterReading? _last;
    private long _lastTimestamp;

    /// <summary>Creates a monitor.</summary>
    /// <param name="timeProvider">The clock; the system's where null.</param>
    public SystemResourceMonitor(TimeProvider? timeProvider = null)
        : this(timeProvider ?? TimeProvider.System, OperatingSystem.IsLinux() ? new LinuxCounters("/", timeProvider ?? TimeProvider.System) : new PortableCounters())
    {
    }

    internal SystemResourceMonitor(TimeProvider time, ISystemCounters counters)
    {
        _time = time;
        _counters = counters;
    }

    /// <inheritdoc/>
    public ResourceSample Sample()
    {
        lock (_lock)
        {
            CounterReading now = _counters.Read();
            long timestamp = _time.GetTimestamp();
            double seconds = _time.GetElapsedTime(_lastTimestamp, timestamp).TotalSeconds;
            CounterReading? before = seconds > 0 ? _last : null;
            _last = now;
            _lastTimestamp = timestamp;
            double? processorSeconds = Increase(before?.ProcessCpuSeconds, now.ProcessCpuSeconds);
            return new ResourceSample
            {
                HostCpuLoad = Share(Increase(before?.HostBusyTicks, now.HostBusyTicks), Increase(before?.HostTotalTicks, now.HostTotalTicks)),
                ProcessCpuLoad = Share(processorSeconds, seconds * now.AllowedProcessors),
                AvailableMemoryBytes = now.AvailableMemoryBytes,
                ProcessMemoryBytes = now.ProcessMemoryBytes,
                AcceleratorLoad = now.AcceleratorLoad,
                AcceleratorAvailableMemoryBytes = now.AcceleratorAvailableMemoryBytes,
                ReceivedBytesPerSecond = Increase(before?.ReceivedBytes, now.ReceivedBytes) / seconds,
                SentBytesPerSecond = Increase(before?.SentBytes, now.SentBytes) / seconds,
                TemperatureCelsius = now.TemperatureCelsius,
                PowerWatts = now.PowerWatts,
                BatteryCharge = now.BatteryCharge,
            };
        }
    }

    /// <summary>What a counter gained; null where it is not known, or was set back.</summary>
    private static double? Increase(double? before, double? now) => now - before is >= 0 and var gained ? gained : null;

    private static double? Share(double? part, double? whole) => part is { } some && whole is > 0 and var all ? Math.Clamp(some / all, 0, 1) : null;
}
