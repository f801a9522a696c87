using System.Globalization;

namespace EdgeSplit.Testbed.Internal;

/// <summary>A control group of version 1 that limits the processor time of the processes in it.</summary>
internal sealed class CpuGroup
{
    // Short, so that a limited stage computes evenly rather than in bursts.
    private const int PeriodMicroseconds = 10_000;
    private const int LeastQuotaMicroseconds = 1_000;
    private const string Root = "/sys/fs/cgroup/cpu";

    private readonly string _folder;

    public CpuGroup(string name)
    {
        _folder = Path.Combine(Root, name);
        Directory.CreateDirectory(_folder);
        File.WriteAllText(Path.Combine(_folder, "cpu.cfs_period_us"), PeriodMicroseconds.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>The file that a process writes its id to, to be in the group.</summary>
    public string ProcessesFile => Path.Combine(_folder, "cgroup.procs");

    /// <summary>Whether this machine has such groups.</summary>
    public static bool IsSupported => File.Exists(Path.Combine(Root, "cpu.cfs_quota_us")) || File.Exists(Path.Combine(Root, "cgroup.procs"));

    /// <summary>Allows a number of processors from now on; null for all.</summary>
    public void Limit(double? processors)
    {
        int quota = processors is double count ? Math.Max((int)(count * PeriodMicroseconds), LeastQuotaMicroseconds) : -1;
        File.WriteAllText(Path.Combine(_folder, "cpu.cfs_quota_us"), quota.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Removes the group; its processes have ended or are about to.</summary>
    public void Remove() => Remove(_folder);

    /// <summary>Ends what runs in the groups whose names begin like that, and removes them.</summary>
    public static void RemoveLeftovers(string prefix)
    {
        if (!Directory.Exists(Root))
            return;
        foreach (string folder in Directory.GetDirectories(Root, prefix + "*"))
        {
            foreach (string id in File.ReadAllLines(Path.Combine(folder, "cgroup.procs")))
                ProcessSignal.TrySend(int.Parse(id, CultureInfo.InvariantCulture), ProcessSignal.Kill);
            Remove(folder);
        }
    }

    private static void Remove(string folder)
    {
        // A group cannot be removed until the kernel has put its last process away.
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                Directory.Delete(folder);
                return;
            }
            catch (DirectoryNotFoundException)
            {
                return;
            }
            catch (IOException) when (attempt < 100)
            {
                Thread.Sleep(20);
            }
        }
    }
}
