namespace EdgeSplit.OrTools;

/// <summary>How long and how <see cref="CpSatPartitioner"/> searches.</summary>
public sealed record CpSatPartitionerOptions
{
    /// <summary>
    /// How long to search after the warm start, in CP-SAT's deterministic time, which is about seconds of one ordinary core. The clock
    /// stops a search at four times this.
    /// </summary>
    /// <value>Default: 10 s.</value>
    public TimeSpan TimeLimit
    {
        get;
        init => field = value > TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "The time limit must be above 0.");
    } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The number of CP-SAT's searches, which take turns and share what they learn. A plan depends on it, and not on the number of cores.
    /// </summary>
    /// <value>Default: 8.</value>
    public int Workers
    {
        get;
        init => field = value > 0 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "There must be 1 worker or more.");
    } = 8;

    /// <summary>The search stops when the plan is proven to be within this fraction of the best possible.</summary>
    /// <value>Default: 0, the best possible.</value>
    public double AcceptedGap
    {
        get;
        init => field = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A gap is 0 or more.");
    }

    /// <summary>The search of <see cref="Partitioning.AutoPartitioner"/> that finds the plan to start from.</summary>
    /// <value>Default: that partitioner's defaults.</value>
    public Partitioning.AutoPartitionerOptions WarmStart { get; init; } = new();
}
