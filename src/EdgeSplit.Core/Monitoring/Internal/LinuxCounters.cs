namespace EdgeSplit.Monitoring.Internal;

/// <summary>Reads <c>/proc</c> and <c>/sys</c>: proc(5), cgroups(7), and the kernel's documentation of sysfs.</summary>
/// <remarks>
/// What cannot change soon is kept: which sensors, batteries, cards, groups and processors there are is looked for once a minute, and
/// what changes slowly is read once a second. Files stay open between reads.
/// </remarks>
/// <param name="root">The folder that stands for <c>/</c>.</param>
/// <param name="time">The clock.</param>
internal sealed class LinuxCounters(string root, TimeProvider time) : ISystemCounters
{
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan ReadSlowAfter = TimeSpan.FromSeconds(1);

    private Found? _found;
    private SlowReading _slow = new();
    private long _lookedAt;

    public CounterReading Read()
    {
        long now = time.GetTimestamp();
        bool areOtherProcessors = false;
        if (_found is null || time.GetElapsedTime(_lookedAt, now) >= LookAgainAfter)
        {
            Found next = new(root);
            // Counts of other processors do not go on where the former ended.
            areOtherProcessors = _found is not null && !next.Processors.AreSame(_found.Processors);
            _found?.Files.Dispose();
            (_found, _lookedAt) = (next, now);
        }
        Found found = _found;
        if (_slow.ReadAt is not { } readAt || time.GetElapsedTime(readAt, now) >= ReadSlowAfter)
            _slow = ReadSlow(found, now);
        (double? busy, double? total) = areOtherProcessors ? (null, null) : found.Processors.Ticks();
        (double? received, double? sent) = found.Network.Bytes();
        return new CounterReading
        {
            HostBusyTicks = busy,
            HostTotalTicks = total,
            ProcessCpuSeconds = PortableCounters.ProcessCpuSeconds(),
            AllowedProcessors = Math.Min(found.Group.Processors ?? found.Processors.Count, found.Processors.Count),
            AvailableMemoryBytes = AvailableMemoryBytes(found),
            ProcessMemoryBytes = ProcessMemoryBytes(found),
            AcceleratorLoad = _slow.AcceleratorLoad,
            AcceleratorAvailableMemoryBytes = (long?)_slow.AcceleratorAvailableMemoryBytes,
            ReceivedBytes = received,
            SentBytes = sent,
            TemperatureCelsius = _slow.TemperatureCelsius,
            PowerWatts = _slow.PowerWatts,
            BatteryCharge = _slow.BatteryCharge,
        };
    }

    private SlowReading ReadSlow(Found found, long now)
    {
        found.Group.Refresh();
        (double? load, double? memory) = found.Sensors.Accelerator();
        double? joules = found.Sensors.EnergyJoules();
        double? drawn = _slow.ReadAt is { } before && joules >= _slow.EnergyJoules ? (joules - _slow.EnergyJoules) / time.GetElapsedTime(before, now).TotalSeconds : null;
        return new SlowReading
        {
            ReadAt = now,
            AcceleratorLoad = load,
            AcceleratorAvailableMemoryBytes = memory,
            TemperatureCelsius = found.Sensors.TemperatureCelsius(),
            EnergyJoules = joules,
            PowerWatts = found.Sensors.BatteryPowerWatts() ?? drawn,
            BatteryCharge = found.Sensors.BatteryCharge(),
        };
    }

    private static long? AvailableMemoryBytes(Found found)
    {
        double? host = SystemText.NumberAfter(found.Memory.ReadStart(), "MemAvailable"u8) * 1024;
        double? group = found.Group.AvailableMemoryBytes();
        return (long?)(host is null || group < host ? group : host);
    }

    private static long? ProcessMemoryBytes(Found found)
    {
        // Pages: all, resident, shared and others.
        ReadOnlySpan<byte> pages = SystemText.Trim(found.ProcessMemory.ReadStart());
        SystemText.TryTakeWord(ref pages, out _);
        return (long?)(SystemText.TakeNumber(ref pages) * Environment.SystemPageSize);
    }

    /// <summary>What was found on the machine when it was last looked for.</summary>
    private sealed class Found
    {
        public Found(string root)
        {
            Files = new SystemFiles(root);
            Processors = new HostProcessors(Files);
            Memory = Files.Open("/proc/meminfo");
            ProcessMemory = Files.Open("/proc/self/statm");
            Network = new NetworkTraffic(Files);
            Group = new ControlGroup(Files);
            Sensors = new Sensors(Files);
        }

        public SystemFiles Files { get; }

        public HostProcessors Processors { get; }

        public SystemFile Memory { get; }

        public SystemFile ProcessMemory { get; }

        public NetworkTraffic Network { get; }

        public ControlGroup Group { get; }

        public Sensors Sensors { get; }
    }

    /// <summary>What was read when slow things were last read.</summary>
    private sealed record SlowReading
    {
        public long? ReadAt { get; init; }

        public double? AcceleratorLoad { get; init; }

        public double? AcceleratorAvailableMemoryBytes { get; init; }

        public double? TemperatureCelsius { get; init; }

        public double? EnergyJoules { get; init; }

        public double? PowerWatts { get; init; }

        public double? BatteryCharge { get; init; }
    }
}
