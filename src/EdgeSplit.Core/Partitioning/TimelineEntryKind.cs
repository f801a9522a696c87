namespace EdgeSplit.Partitioning;

/// <summary>What a <see cref="TimelineEntry"/> shows.</summary>
public enum TimelineEntryKind
{
    /// <summary>A stage computes.</summary>
    Compute,

    /// <summary>An activation travels.</summary>
    Transfer,
}
