using System.Globalization;

namespace EdgeSplit.Testbed.Internal;

/// <summary>A control group that limits the processor time of the processes in it.</summary>
internal sealed class CpuGroup
{
    // Short, so that a limited stage computes evenly rather than in bursts.
    private const int PeriodMicroseconds = 10_000;
    private const int LeastQuotaMicroseconds = 1_000;

    private readonly CpuGroups _groups;
    private readonly string _folder;

    public CpuGroup(string name)
        : this(CpuGroups.OfMachine ?? throw new InvalidOperationException("There are no control groups that limit processors."), name)
    {
    }

    internal CpuGroup(CpuGroups groups, string name)
    {
        _groups = groups;
        _folder = groups.Create(name);
        Limit(null);
    }

    /// <summary>The file that a process writes its id to, to be in the group.</summary>
    public string ProcessesFile => Path.Combine(_folder, CpuGroups.Processes);

    /// <summary>Allows a number of processors from now on; null for all.</summary>
    public void Limit(double? processors) =>
        _groups.Limit(_folder, processors is double count ? Math.Max((int)(count * PeriodMicroseconds), LeastQuotaMicroseconds) : null, PeriodMicroseconds);

    /// <summary>Removes the group; its processes have ended or are about to.</summary>
    public void Remove() => Remove(_folder);

    /// <summary>Ends what runs in the groups whose names begin like that, and removes them.</summary>
    public static void RemoveLeftovers(string prefix)
    {
        foreach (string folder in CpuGroups.OfMachine?.Find(prefix) ?? [])
        {
            foreach (string id in File.ReadAllLines(Path.Combine(folder, CpuGroups.Processes)))
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
