using EdgeSplit.Monitoring;
using EdgeSplit.Monitoring.Internal;
using Microsoft.Extensions.Time.Testing;

namespace EdgeSplit.Tests.Monitoring;

public sealed class SystemResourceMonitorTests
{
    private readonly TemporaryFolder _root = new();
    private readonly FakeTimeProvider _time = new();

    [TearDown]
    public void DeleteFolder() => _root.Dispose();

    [Test]
    public void Sample_of_this_machine_is_sensible()
    {
        var monitor = new SystemResourceMonitor();
        monitor.Sample();
        GC.Collect();
        ResourceSample sample = monitor.Sample();
        Assert.That(sample.ProcessMemoryBytes, Is.GreaterThan(1_000_000));
        Assert.That(sample.AvailableMemoryBytes, Is.GreaterThan(0));
        Assert.That(sample.ProcessCpuLoad, Is.InRange(0.0, 1.0));
        if (OperatingSystem.IsLinux())
            Assert.That(sample.ProcessMemoryBytes, Is.EqualTo(Environment.WorkingSet).Within(30).Percent);
        if (OperatingSystem.IsLinux())
            Assert.That(sample.HostCpuLoad, Is.Null.Or.InRange(0.0, 1.0));
    }

    [Test]
    public void Sample_of_an_empty_machine_tells_nothing_of_it_and_throws_nothing()
    {
        SystemResourceMonitor monitor = Monitor();
        monitor.Sample();
        _time.Advance(TimeSpan.FromSeconds(1));
        ResourceSample sample = monitor.Sample();
        Assert.That(sample with { ProcessCpuLoad = null, ProcessMemoryBytes = null }, Is.EqualTo(new ResourceSample()));
    }

    [Test]
    public void Sample_of_damaged_files_tells_nothing_of_them()
    {
        foreach (string path in new[] { "proc/stat", "proc/meminfo", "proc/net/dev", "proc/self/cgroup", "sys/fs/cgroup/memory.max", "sys/class/thermal/thermal_zone0/temp" })
            Write(path, "cpu: \0 ::: 0::../../.. MemAvailable: x\ncpu\n||\n0::/..");
        Directory.CreateDirectory(_root["sys/class/power_supply/BAT0/type"]);
        SystemResourceMonitor monitor = Monitor();
        monitor.Sample();
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.That(monitor.Sample() with { ProcessCpuLoad = null, ProcessMemoryBytes = null }, Is.EqualTo(new ResourceSample()));
    }

    [Test]
    public void Sample_gives_the_hosts_load_since_the_sample_before()
    {
        SystemResourceMonitor monitor = Monitor();
        Write("proc/stat", "cpu  100 0 100 700 100 0 0 0 50 0\ncpu0 1 1 1 1 1 1 1 1 1 1\nintr 5");
        Assert.That(monitor.Sample().HostCpuLoad, Is.Null);
        _time.Advance(TimeSpan.FromSeconds(1));
        Write("proc/stat", "cpu  150 0 110 720 110 5 5 0 90 0\ncpu0 1 1 1 1 1 1 1 1 1 1\nintr 5");
        // 70 busy ticks (50 user, 10 system, 5 irq, 5 softirq) of 100.
        Assert.That(monitor.Sample().HostCpuLoad, Is.EqualTo(0.7).Within(1e-9));
    }

    [TestCase("1", 0.2)]
    [TestCase("0-1", 0.55)]
    [TestCase("0,3", 0.9)]
    [TestCase("7", 0.6, Description = "None of them is online: the whole machine counts.")]
    public void Sample_gives_the_load_of_the_processors_that_the_process_may_use(string allowed, double expected)
    {
        Write("proc/self/status", $"Name:\tagent\nCpus_allowed:\tf\nCpus_allowed_list:\t{allowed}\nMems_allowed_list:\t0");
        Write("proc/stat", "cpu  0 0 0 0\ncpu0 0 0 0 0 0\ncpu1 0 0 0 0 0\ncpu3 0 0 0 0 0\nintr 5");
        SystemResourceMonitor monitor = Monitor();
        monitor.Sample();
        _time.Advance(TimeSpan.FromSeconds(1));
        Write("proc/stat", "cpu  180 0 0 120\ncpu0 90 0 0 10 0\ncpu1 20 0 0 80 0\ncpu3 90 0 0 10 0\nintr 5");
        Assert.That(monitor.Sample().HostCpuLoad, Is.EqualTo(expected).Within(1e-9));
    }

    [Test]
    public void Sample_says_nothing_of_the_load_when_the_process_was_tied_to_other_processors()
    {
        Write("proc/self/status", "Cpus_allowed_list:\t0");
        Write("proc/stat", "cpu  0 0 0 0\ncpu0 0 0 0 0\ncpu1 0 0 0 0");
        SystemResourceMonitor monitor = Monitor();
        monitor.Sample();
        Write("proc/self/status", "Cpus_allowed_list:\t1");
        Write("proc/stat", "cpu  0 0 0 0\ncpu0 0 0 0 0\ncpu1 100 0 0 100");
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.That(monitor.Sample().HostCpuLoad, Is.Null);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.That(monitor.Sample().HostCpuLoad, Is.Null, "There are no two counts of the same processors yet.");
        _time.Advance(TimeSpan.FromSeconds(1));
        Write("proc/stat", "cpu  0 0 0 0\ncpu0 0 0 0 0\ncpu1 150 0 0 150");
        Assert.That(monitor.Sample().HostCpuLoad, Is.EqualTo(0.5));
    }

    [Test]
    public void Sample_finds_what_is_plugged_in_within_a_minute_and_reads_slow_things_each_second()
    {
        SystemResourceMonitor monitor = Monitor();
        Assert.That(monitor.Sample().TemperatureCelsius, Is.Null);
        Write("sys/class/thermal/thermal_zone0/temp", "45000");
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.That(monitor.Sample().TemperatureCelsius, Is.EqualTo(45));
        Write("sys/class/thermal/thermal_zone0/temp", "50000");
        _time.Advance(TimeSpan.FromSeconds(0.5));
        Assert.That(monitor.Sample().TemperatureCelsius, Is.EqualTo(45));
        _time.Advance(TimeSpan.FromSeconds(0.5));
        Assert.That(monitor.Sample().TemperatureCelsius, Is.EqualTo(50));
    }

    [Test]
    public void Sample_of_a_machine_of_many_processors_reads_all_of_them()
    {
        SystemResourceMonitor monitor = Monitor();
        Write("proc/self/status", "Cpus_allowed_list:\t0-511");
        Write("proc/stat", Ticks(0));
        monitor.Sample();
        _time.Advance(TimeSpan.FromSeconds(1));
        Write("proc/stat", Ticks(100));
        Assert.That(monitor.Sample().HostCpuLoad, Is.EqualTo(0.25).Within(1e-9));

        static string Ticks(int busy) => $"cpu  0 0 0 0\n{string.Join('\n', Enumerable.Range(0, 512).Select(processor => $"cpu{processor} {(processor < 128 ? busy : 0)} 0 0 {(processor < 128 ? 0 : busy)} 0 0 0 0 0 0"))}\nintr 1";
    }

    [Test]
    public void Sample_gives_network_rates_without_loopback()
    {
        SystemResourceMonitor monitor = Monitor();
        Network(1000, 5000, 100);
        Assert.That(monitor.Sample().ReceivedBytesPerSecond, Is.Null);
        _time.Advance(TimeSpan.FromSeconds(2));
        Network(5000, 6000, 99999);
        ResourceSample sample = monitor.Sample();
        Assert.That(sample.ReceivedBytesPerSecond, Is.EqualTo(2000).Within(1e-6));
        Assert.That(sample.SentBytesPerSecond, Is.EqualTo(500).Within(1e-6));
        _time.Advance(TimeSpan.FromSeconds(1));
        Network(10, 10, 10);
        Assert.That(monitor.Sample().ReceivedBytesPerSecond, Is.Null, "The interface was reset.");

        void Network(long received, long sent, long loopback) => Write("proc/net/dev", $"""
            Inter-|   Receive                                                |  Transmit
             face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
                lo: {loopback}       1    0    0    0     0          0         0 {loopback}       1    0    0    0     0       0          0
              eth0:{received}       1    0    0    0     0          0         0 {sent}       1    0    0    0     0       0          0
            """);
    }

    [TestCase(null, 8_000_000 * 1024L)]
    [TestCase("max", 8_000_000 * 1024L)]
    [TestCase("1000000000", 1_000_000_000L - 400_000_000 + 100_000_000)]
    public void Sample_gives_the_memory_that_host_and_control_group_leave(string? limit, long expected)
    {
        Write("proc/meminfo", "MemTotal:       16000000 kB\nMemFree:         1000000 kB\nMemAvailable:    8000000 kB");
        Write("proc/self/cgroup", "0::/system.slice/edge.service");
        Write("sys/fs/cgroup/system.slice/edge.service/memory.max", "max");
        if (limit is not null)
        {
            Write("sys/fs/cgroup/system.slice/memory.max", limit);
            Write("sys/fs/cgroup/system.slice/memory.current", "400000000");
            Write("sys/fs/cgroup/system.slice/memory.stat", "anon 1\ninactive_file 100000000\nactive_file 5");
        }
        Assert.That(Monitor().Sample().AvailableMemoryBytes, Is.EqualTo(expected));
    }

    [TestCase("9223372036854771712", 8_000_000 * 1024L)]
    [TestCase("500000000", 500_000_000L - 300_000_000 + 50_000_000)]
    public void Sample_follows_control_groups_of_version_1_whose_path_is_the_hosts(string limit, long expected)
    {
        Write("proc/meminfo", "MemAvailable:    8000000 kB");
        Write("proc/self/cgroup", "11:memory:/docker/0123abcd\n4:cpu,cpuacct:/docker/0123abcd\n1:name=systemd:/docker/0123abcd");
        Write("sys/fs/cgroup/memory/memory.limit_in_bytes", limit);
        Write("sys/fs/cgroup/memory/memory.usage_in_bytes", "300000000");
        Write("sys/fs/cgroup/memory/memory.stat", "cache 1\ntotal_inactive_file 50000000");
        Assert.That(Monitor().Sample().AvailableMemoryBytes, Is.EqualTo(expected));
    }

    [TestCase("0::/a", "sys/fs/cgroup/a/cpu.max", "50000 100000", 0.5)]
    [TestCase("0::/a", "sys/fs/cgroup/a/cpu.max", "max 100000", null)]
    [TestCase("0::/", "sys/fs/cgroup/cpu.max", "25000 100000", 0.25)]
    public void Processors_are_those_that_the_control_group_grants(string group, string path, string content, double? expected)
    {
        Write("proc/self/cgroup", group);
        Write(path, content);
        Assert.That(Processors(), Is.EqualTo(expected));
    }

    [Test]
    public void Processors_follow_control_groups_of_version_1()
    {
        Write("proc/self/cgroup", "4:cpu,cpuacct:/pod/one");
        Write("sys/fs/cgroup/cpu/pod/one/cpu.cfs_quota_us", "-1");
        Write("sys/fs/cgroup/cpu/pod/cpu.cfs_quota_us", "150000");
        Write("sys/fs/cgroup/cpu/pod/cpu.cfs_period_us", "100000");
        Assert.That(Processors(), Is.EqualTo(1.5));
    }

    [Test]
    public void Sample_gives_the_hottest_sensor_that_can_be_true()
    {
        Write("sys/class/thermal/thermal_zone0/temp", "45000");
        Write("sys/class/thermal/thermal_zone1/temp", "-273000");
        Write("sys/class/hwmon/hwmon2/temp1_input", "61500");
        Write("sys/class/hwmon/hwmon2/temp1_crit", "100000");
        Write("sys/class/hwmon/hwmon3/temp1_input", "255000");
        Assert.That(Monitor().Sample().TemperatureCelsius, Is.EqualTo(61.5).Within(1e-9));
    }

    [Test]
    public void Sample_gives_the_power_of_the_processors_packages()
    {
        SystemResourceMonitor monitor = Monitor();
        Write("sys/class/powercap/intel-rapl:0/energy_uj", "1000000");
        Write("sys/class/powercap/intel-rapl:0:0/energy_uj", "77");
        Assert.That(monitor.Sample().PowerWatts, Is.Null);
        _time.Advance(TimeSpan.FromSeconds(2));
        Write("sys/class/powercap/intel-rapl:0/energy_uj", "31000000");
        Assert.That(monitor.Sample().PowerWatts, Is.EqualTo(15).Within(1e-9));
        _time.Advance(TimeSpan.FromSeconds(2));
        Write("sys/class/powercap/intel-rapl:0/energy_uj", "5");
        Assert.That(monitor.Sample().PowerWatts, Is.Null, "The counter started anew.");
    }

    [Test]
    public void Sample_gives_the_batterys_charge_and_what_it_is_drained_with()
    {
        Write("sys/class/power_supply/AC/type", "Mains");
        Write("sys/class/power_supply/BAT0/type", "Battery");
        Write("sys/class/power_supply/BAT0/capacity", "37");
        Write("sys/class/power_supply/BAT0/status", "Discharging");
        Write("sys/class/power_supply/BAT0/current_now", "1500000");
        Write("sys/class/power_supply/BAT0/voltage_now", "8000000");
        Write("sys/class/power_supply/mouse/type", "Battery");
        Write("sys/class/power_supply/mouse/scope", "Device");
        Write("sys/class/power_supply/mouse/capacity", "99");
        ResourceSample sample = Monitor().Sample();
        Assert.That(sample.BatteryCharge, Is.EqualTo(0.37).Within(1e-9));
        Assert.That(sample.PowerWatts, Is.EqualTo(12).Within(1e-9));
    }

    [Test]
    public void Sample_gives_the_accelerator_whose_driver_tells()
    {
        Write("sys/class/drm/card0/device/vendor", "0x8086");
        Write("sys/class/drm/card1/device/gpu_busy_percent", "42");
        Write("sys/class/drm/card1/device/mem_info_vram_total", "8000");
        Write("sys/class/drm/card1/device/mem_info_vram_used", "3000");
        ResourceSample sample = Monitor().Sample();
        Assert.That(sample.AcceleratorLoad, Is.EqualTo(0.42).Within(1e-9));
        Assert.That(sample.AcceleratorAvailableMemoryBytes, Is.EqualTo(5000));
    }

    [Test]
    public void Sample_of_what_every_system_tells_throws_nothing()
    {
        var monitor = new SystemResourceMonitor(TimeProvider.System, new PortableCounters());
        monitor.Sample();
        GC.Collect();
        ResourceSample sample = monitor.Sample();
        Assert.That(sample.ProcessMemoryBytes, Is.GreaterThan(1_000_000));
        Assert.That(sample.AvailableMemoryBytes, Is.GreaterThan(0));
        Assert.That(sample.ProcessCpuLoad, Is.InRange(0.0, 1.0));
    }

    private double? Processors()
    {
        using var files = new SystemFiles(_root.Path);
        var group = new ControlGroup(files);
        group.Refresh();
        return group.Processors;
    }

    private SystemResourceMonitor Monitor() => new(_time, new LinuxCounters(_root.Path, _time));

    private void Write(string path, string content)
    {
        string full = _root[path];
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, content + "\n");
    }
}
