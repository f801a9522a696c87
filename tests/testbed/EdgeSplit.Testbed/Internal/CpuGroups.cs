using System.Globalization;

namespace EdgeSplit.Testbed.Internal;

/// <summary>The machine's control groups that limit processors, of version 2 or 1.</summary>
/// <param name="root">The folder of the root group.</param>
/// <param name="isUnified">Whether they are of version 2, where one hierarchy has all controllers.</param>
internal sealed class CpuGroups(string root, bool isUnified)
{
    /// <summary>The file of a group that lists its processes.</summary>
    public const string Processes = "cgroup.procs";

    private const string MountPoint = "/sys/fs/cgroup";
    private static readonly Lazy<CpuGroups?> Machine = new(static () => FindIn(MountPoint));

    /// <summary>The groups of this machine; null where there are none.</summary>
    public static CpuGroups? OfMachine => Machine.Value;

    /// <summary>Whether they are of version 2.</summary>
    public bool IsUnified => isUnified;

    /// <summary>Finds out which version has the processor controller.</summary>
    public static CpuGroups? FindIn(string mountPoint)
    {
        string legacy = Path.Combine(mountPoint, "cpu"), controllers = Path.Combine(mountPoint, "cgroup.controllers");
        if (File.Exists(Path.Combine(legacy, Processes)))
            return new CpuGroups(legacy, isUnified: false);
        return File.Exists(controllers) && File.ReadAllText(controllers).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Contains("cpu")
            ? new CpuGroups(mountPoint, isUnified: true)
            : null;
    }

    /// <summary>Makes a group below the root.</summary>
    public string Create(string name)
    {
        // Version 2 gives controllers to children only where their parent says so.
        if (isUnified)
            File.WriteAllText(Path.Combine(root, "cgroup.subtree_control"), "+cpu");
        return Directory.CreateDirectory(Path.Combine(root, name)).FullName;
    }

    /// <summary>The groups whose names begin with something.</summary>
    public IEnumerable<string> Find(string prefix) => Directory.GetDirectories(root, prefix + "*");

    /// <summary>Lets a group compute for so long in each period; null for without limit.</summary>
    public void Limit(string group, int? quotaMicroseconds, int periodMicroseconds)
    {
        string period = periodMicroseconds.ToString(CultureInfo.InvariantCulture), quota = quotaMicroseconds?.ToString(CultureInfo.InvariantCulture) ?? (isUnified ? "max" : "-1");
        if (isUnified)
        {
            File.WriteAllText(Path.Combine(group, "cpu.max"), $"{quota} {period}");
            return;
        }
        File.WriteAllText(Path.Combine(group, "cpu.cfs_period_us"), period);
        File.WriteAllText(Path.Combine(group, "cpu.cfs_quota_us"), quota);
    }
}
