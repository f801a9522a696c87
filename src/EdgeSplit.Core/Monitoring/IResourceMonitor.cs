namespace EdgeSplit.Monitoring;

/// <summary>Reads how the resources of this machine are used.</summary>
/// <remarks>Implementations are thread-safe. What the system does not tell is null, never an exception.</remarks>
public interface IResourceMonitor
{
    /// <summary>Takes a sample. Rates are averages since the sample before.</summary>
    ResourceSample Sample();
}
