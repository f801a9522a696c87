namespace EdgeSplit.Monitoring.Internal;

/// <summary>Reads <c>/proc</c> and <c>/sys</c>: proc(5), cgroups(7), and the kernel's documentation of sysfs.</summary>
/// <param name="root">The folder that stands for <c>/</c>.</param>
internal sealed class LinuxCounters(string root) : ISystemCounters
{
    private readonly SystemFiles _files = new(root);
    private readonly ControlGroup _group = new(new SystemFiles(root));

    public CounterReading Read()
    {
        (double? busy, double? total) = HostTicks();
        (double? received, double? sent) = Network();
        (double? acceleratorLoad, double? acceleratorMemory) = Accelerator();
        return new CounterReading
        {
            HostBusyTicks = busy,
            HostTotalTicks = total,
            ProcessCpuSeconds = PortableCounters.ProcessCpuSeconds(),
            AllowedProcessors = Math.Min(_group.Processors() ?? Environment.ProcessorCount, Environment.ProcessorCount),
            AvailableMemoryBytes = AvailableMemory(),
            ProcessMemoryBytes = Environment.WorkingSet,
            AcceleratorLoad = acceleratorLoad,
            AcceleratorAvailableMemoryBytes = (long?)acceleratorMemory,
            ReceivedBytes = received,
            SentBytes = sent,
            TemperatureCelsius = Temperature(),
            EnergyJoules = Energy(),
            PowerWatts = BatteryPower(),
            BatteryCharge = BatteryCharge(),
        };
    }

    private (double? Busy, double? Total) HostTicks()
    {
        foreach (string line in _files.Lines("/proc/stat"))
        {
            string[] words = SystemFiles.Words(line);
            if (words.Length < 5 || words[0] != "cpu")
                continue;
            // user nice system idle iowait irq softirq steal; guest time, which follows, is part of user time.
            double total = 0, idle = 0;
            for (int i = 1; i < Math.Min(words.Length, 9); i++)
            {
                double ticks = SystemFiles.ParseNumber(words[i]) ?? 0;
                total += ticks;
                idle += i is 4 or 5 ? ticks : 0;
            }
            return (total - idle, total);
        }
        return (null, null);
    }

    private long? AvailableMemory()
    {
        double? host = _files.NumberAfter("/proc/meminfo", "MemAvailable") * 1024;
        double? group = _group.AvailableMemoryBytes();
        return (long?)(host is null || group < host ? group : host);
    }

    private (double? Received, double? Sent) Network()
    {
        double? received = null, sent = null;
        foreach (string line in _files.Lines("/proc/net/dev"))
        {
            // "eth0: bytes packets errs drop fifo frame compressed multicast bytes …"; two lines of titles have a bar.
            string[] words = SystemFiles.Words(line);
            if (words.Length < 10 || line.Contains('|') || words[0] == "lo")
                continue;
            received = (received ?? 0) + (SystemFiles.ParseNumber(words[1]) ?? 0);
            sent = (sent ?? 0) + (SystemFiles.ParseNumber(words[9]) ?? 0);
        }
        return (received, sent);
    }

    /// <summary>The hottest thermal zone or sensor; values that no machine survives are those of sensors that are not connected.</summary>
    private double? Temperature()
    {
        IEnumerable<double?> zones = _files.Entries("/sys/class/thermal", "thermal_zone").Select(zone => _files.Number(zone + "/temp"));
        IEnumerable<double?> sensors = _files.Entries("/sys/class/hwmon", "hwmon")
            .SelectMany(chip => _files.Entries(chip, "temp").Where(static file => file.EndsWith("_input", StringComparison.Ordinal)))
            .Select(_files.Number);
        return zones.Concat(sensors).Select(static millidegrees => millidegrees / 1000).Where(static degrees => degrees is > -50 and < 150).Max();
    }

    /// <summary>What the processors' packages have drawn; their parts (<c>intel-rapl:0:1</c>) are counted in them.</summary>
    private double? Energy()
    {
        double? joules = null;
        foreach (string zone in _files.Entries("/sys/class/powercap", "intel-rapl:"))
        {
            if (zone.Count(static character => character == ':') == 1 && _files.Number(zone + "/energy_uj") is { } microjoules)
                joules = (joules ?? 0) + microjoules * 1e-6;
        }
        return joules;
    }

    private double? BatteryPower()
    {
        double? watts = null;
        foreach (string battery in Batteries())
        {
            if (_files.Text(battery + "/status") != "Discharging")
                continue;
            double? microwatts = _files.Number(battery + "/power_now")
                ?? _files.Number(battery + "/current_now") * _files.Number(battery + "/voltage_now") * 1e-6;
            if (microwatts is { } drawn)
                watts = (watts ?? 0) + Math.Abs(drawn) * 1e-6;
        }
        return watts;
    }

    private double? BatteryCharge() => Batteries().Select(battery => _files.Number(battery + "/capacity") / 100).Average();

    private IEnumerable<string> Batteries() =>
        _files.Entries("/sys/class/power_supply", "").Where(supply => _files.Text(supply + "/type") == "Battery" && _files.Text(supply + "/scope") != "Device");

    /// <summary>The graphics processor whose driver tells its use in sysfs, as AMD's does.</summary>
    private (double? Load, double? AvailableMemory) Accelerator()
    {
        foreach (string card in _files.Entries("/sys/class/drm", "card"))
        {
            if (_files.Number(card + "/device/gpu_busy_percent") is { } percent)
                return (percent / 100, _files.Number(card + "/device/mem_info_vram_total") - _files.Number(card + "/device/mem_info_vram_used"));
        }
        return (null, null);
    }
}
