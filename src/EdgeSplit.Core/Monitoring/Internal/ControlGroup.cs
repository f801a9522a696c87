using System.Text;

namespace EdgeSplit.Monitoring.Internal;

/// <summary>
/// The limits that control groups set to this process, versions 1 and 2 of them: the group that it is in when this is made, and those
/// above it. In a container the path may be that of the host; then only the mount is there.
/// </summary>
internal sealed class ControlGroup
{
    private const string Mount = "/sys/fs/cgroup";

    private readonly MemoryGroup[] _memory;
    private readonly ProcessorGroup[] _processors;

    public ControlGroup(SystemFiles files)
    {
        _memory = [.. Folders(files, "memory", out bool isMemoryV2).Select(folder => new MemoryGroup(files, folder, isMemoryV2)).Where(static group => group.IsThere)];
        _processors = [.. Folders(files, "cpu", out bool isProcessorV2).Select(folder => new ProcessorGroup(files, folder, isProcessorV2)).Where(static group => group.IsThere)];
    }

    /// <summary>Reads the limits, and what groups that have one could give back of their memory: what changes slowly.</summary>
    public void Refresh()
    {
        double? tightest = null;
        foreach (ProcessorGroup group in _processors)
            tightest = Tighter(tightest, group.Processors());
        Processors = tightest;
        foreach (MemoryGroup group in _memory)
            group.Refresh();
    }

    /// <summary>Processors' worth of time that could be used when it was read last; null where none limits.</summary>
    public double? Processors { get; private set; }

    /// <summary>Bytes that may still be taken in the tightest group; null where none limits.</summary>
    public double? AvailableMemoryBytes()
    {
        double? tightest = null;
        foreach (MemoryGroup group in _memory)
            tightest = Tighter(tightest, group.AvailableBytes());
        return tightest;
    }

    private static double? Tighter(double? one, double? other) => one is null || other < one ? other ?? one : one;

    private static List<string> Folders(SystemFiles files, string controller, out bool isV2)
    {
        string? v1 = null, v2 = null;
        foreach (string line in Encoding.UTF8.GetString(files.Read("/proc/self/cgroup")).Split('\n', StringSplitOptions.TrimEntries))
        {
            string[] parts = line.Split(':', 3);
            if (parts.Length < 3)
                continue;
            if (parts[0] == "0" && parts[1].Length == 0)
                v2 = parts[2];
            else if (parts[1].Split(',').Contains(controller))
                v1 = parts[2];
        }
        isV2 = v1 is null;
        string mount = isV2 ? Mount : $"{Mount}/{controller}";
        string path = (v1 ?? v2 ?? "/").TrimEnd('/');
        var folders = new List<string>();
        for (; path.Length > 0; path = path[..path.LastIndexOf('/')])
        {
            if (!path.Contains("..", StringComparison.Ordinal) && files.Exists(mount + path))
                folders.Add(mount + path);
        }
        folders.Add(mount);
        return folders;
    }

    private sealed class ProcessorGroup(SystemFiles files, string folder, bool isV2)
    {
        private readonly SystemFile _quota = files.Open(folder + (isV2 ? "/cpu.max" : "/cpu.cfs_quota_us"));
        private readonly SystemFile? _period = isV2 ? null : files.Open(folder + "/cpu.cfs_period_us");

        public bool IsThere => _quota.IsReadable;

        public double? Processors()
        {
            // Version 2 says both in one line; "max" and -1 are no limit.
            ReadOnlySpan<byte> line = _quota.ReadStart();
            line = SystemText.Trim(line);
            double? quota = SystemText.TakeNumber(ref line), period = _period is null ? SystemText.TakeNumber(ref line) : _period.Number();
            return quota > 0 && period > 0 ? quota / period : null;
        }
    }

    private sealed class MemoryGroup(SystemFiles files, string folder, bool isV2)
    {
        // Version 1 says "no limit" with a number near 2^63.
        private const double NoLimit = 1e18;
        private readonly SystemFile _limit = files.Open(folder + (isV2 ? "/memory.max" : "/memory.limit_in_bytes"));
        private readonly SystemFile _used = files.Open(folder + (isV2 ? "/memory.current" : "/memory.usage_in_bytes"));
        private readonly SystemFile _statistics = files.Open(folder + "/memory.stat");
        private double? _limitBytes;
        private double _reclaimableBytes;

        public bool IsThere => _limit.IsReadable;

        public void Refresh()
        {
            _limitBytes = _limit.Number() is < NoLimit and var limit ? limit : null;
            if (_limitBytes is null)
                return;
            // The page cache counts as used, but the inactive part of it is given back on demand. The kernel takes long to add it up.
            _reclaimableBytes = SystemText.NumberAfter(_statistics.ReadAll(), isV2 ? "inactive_file"u8 : "total_inactive_file"u8) ?? 0;
        }

        public double? AvailableBytes() =>
            _limitBytes is { } limit && _used.Number() is { } used ? Math.Min(Math.Max(limit - used + _reclaimableBytes, 0), limit) : null;
    }
}
