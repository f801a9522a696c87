namespace EdgeSplit.Monitoring.Internal;

/// <summary>The limits that control groups set to this process, versions 1 and 2 of them.</summary>
internal sealed class ControlGroup(SystemFiles files)
{
    private const string Mount = "/sys/fs/cgroup";

    /// <summary>Bytes that may still be taken in the tightest group on the way up; null where none limits.</summary>
    public double? AvailableMemoryBytes()
    {
        double? tightest = null;
        foreach (string folder in Folders("memory", out bool isV2))
        {
            double? limit = files.Number(folder + (isV2 ? "/memory.max" : "/memory.limit_in_bytes"));
            double? used = files.Number(folder + (isV2 ? "/memory.current" : "/memory.usage_in_bytes"));
            // Version 1 says "no limit" with a number near 2^63.
            if (limit is null or > 1e18 || used is null)
                continue;
            // The page cache counts as used, but the inactive part of it is given back on demand.
            double reclaimable = files.NumberAfter(folder + "/memory.stat", isV2 ? "inactive_file" : "total_inactive_file") ?? 0;
            double available = Math.Max(limit.Value - used.Value + reclaimable, 0);
            tightest = Math.Min(tightest ?? double.MaxValue, Math.Min(available, limit.Value));
        }
        return tightest;
    }

    /// <summary>Processors' worth of time that may be used; null where none limits.</summary>
    public double? Processors()
    {
        double? tightest = null;
        foreach (string folder in Folders("cpu", out bool isV2))
        {
            double? quota, period;
            if (isV2)
            {
                string[] words = SystemFiles.Words(files.Text(folder + "/cpu.max") ?? "");
                (quota, period) = words.Length == 2 ? (SystemFiles.ParseNumber(words[0]), SystemFiles.ParseNumber(words[1])) : (null, null);
            }
            else
            {
                (quota, period) = (files.Number(folder + "/cpu.cfs_quota_us"), files.Number(folder + "/cpu.cfs_period_us"));
            }
            if (quota is > 0 and var time && period is > 0 and var span)
                tightest = Math.Min(tightest ?? double.MaxValue, time / span);
        }
        return tightest;
    }

    /// <summary>The group of this process and those above it. In a container the path may be that of the host; then only the mount is there.</summary>
    private IEnumerable<string> Folders(string controller, out bool isV2)
    {
        string? v1 = null, v2 = null;
        foreach (string line in files.Lines("/proc/self/cgroup"))
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
            if (path.Contains("..", StringComparison.Ordinal))
                continue;
            if (files.Exists(mount + path))
                folders.Add(mount + path);
        }
        folders.Add(mount);
        return folders;
    }
}
