namespace EdgeSplit.Monitoring;

/// <summary>Reads the resources of this machine from its operating system.</summary>
public sealed class SystemResourceMonitor : IResourceMonitor
{
    /// <inheritdoc/>
    public ResourceSample Sample()
    {
        GCMemoryInfo memory = GC.GetGCMemoryInfo();
        return new ResourceSample
        {
            ProcessMemoryBytes = Environment.WorkingSet,
            AvailableMemoryBytes = Math.Max(memory.TotalAvailableMemoryBytes - memory.MemoryLoadBytes, 0),
        };
    }
}
