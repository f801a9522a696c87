namespace EdgeSplit.Monitoring.Internal;

/// <summary>The sensors, batteries and accelerators that were there when this was made: what changes slowly, and takes some drivers long to tell.</summary>
internal sealed class Sensors
{
    private readonly SystemFile[] _temperatures;
    private readonly SystemFile[] _energies;
    private readonly Battery[] _batteries;
    private readonly SystemFile? _acceleratorLoad;
    private readonly SystemFile? _acceleratorMemory;
    private readonly SystemFile? _acceleratorMemoryUsed;

    public Sensors(SystemFiles files)
    {
        _temperatures = [.. files.Entries("/sys/class/thermal", "thermal_zone").Select(zone => files.Open(zone + "/temp"))
            .Concat(files.Entries("/sys/class/hwmon", "hwmon").SelectMany(chip => files.Entries(chip, "temp")).Where(static file => file.EndsWith("_input", StringComparison.Ordinal)).Select(files.Open))
            .Where(static file => file.IsReadable)];
        // The packages' parts (intel-rapl:0:1) are counted in them.
        _energies = [.. files.Entries("/sys/class/powercap", "intel-rapl:").Where(static zone => zone.Count(static character => character == ':') == 1)
            .Select(zone => files.Open(zone + "/energy_uj")).Where(static file => file.IsReadable)];
        _batteries = [.. files.Entries("/sys/class/power_supply", "")
            .Where(supply => SystemText.Trim(files.Read(supply + "/type")).SequenceEqual("Battery"u8) && !SystemText.Trim(files.Read(supply + "/scope")).SequenceEqual("Device"u8))
            .Select(supply => new Battery(files, supply))];
        // The graphics processor whose driver tells its use in sysfs, as AMD's does.
        if (files.Entries("/sys/class/drm", "card").FirstOrDefault(card => files.Exists(card + "/device/gpu_busy_percent")) is { } card)
        {
            _acceleratorLoad = files.Open(card + "/device/gpu_busy_percent");
            _acceleratorMemory = files.Open(card + "/device/mem_info_vram_total");
            _acceleratorMemoryUsed = files.Open(card + "/device/mem_info_vram_used");
        }
    }

    /// <summary>The hottest one's temperature; values that no machine survives are those of sensors that are not connected.</summary>
    public double? TemperatureCelsius()
    {
        double? hottest = null;
        foreach (SystemFile sensor in _temperatures)
        {
            if (sensor.Number() / 1000 is > -50 and < 150 and var degrees)
                hottest = Math.Max(hottest ?? degrees, degrees);
        }
        return hottest;
    }

    /// <summary>What the processors' packages have drawn since the system's start, or since the counter began anew.</summary>
    public double? EnergyJoules() => Sum(_energies, static zone => zone.Number() * 1e-6);

    /// <summary>What batteries are drained with.</summary>
    public double? BatteryPowerWatts() => Sum(_batteries, static battery => battery.Watts());

    /// <summary>The batteries' charge in 0..1, the mean of several.</summary>
    public double? BatteryCharge() => _batteries.Select(static battery => battery.Charge()).Average();

    /// <summary>The share of the accelerator that is in use, and the bytes of its memory that it could give.</summary>
    public (double? Load, double? AvailableMemoryBytes) Accelerator() => (_acceleratorLoad?.Number() / 100, _acceleratorMemory?.Number() - _acceleratorMemoryUsed?.Number());

    private static double? Sum<T>(T[] items, Func<T, double?> value)
    {
        double? sum = null;
        foreach (T item in items)
        {
            if (value(item) is { } some)
                sum = (sum ?? 0) + some;
        }
        return sum;
    }

    private sealed class Battery(SystemFiles files, string folder)
    {
        private readonly SystemFile _status = files.Open(folder + "/status");
        private readonly SystemFile _capacity = files.Open(folder + "/capacity");
        private readonly SystemFile _power = files.Open(folder + "/power_now");
        private readonly SystemFile _current = files.Open(folder + "/current_now");
        private readonly SystemFile _voltage = files.Open(folder + "/voltage_now");

        public double? Charge() => _capacity.Number() / 100;

        public double? Watts()
        {
            if (!SystemText.Trim(_status.ReadStart()).SequenceEqual("Discharging"u8))
                return null;
            double? microwatts = _power.Number() ?? _current.Number() * _voltage.Number() * 1e-6;
            return microwatts is { } drawn ? Math.Abs(drawn) * 1e-6 : null;
        }
    }
}
