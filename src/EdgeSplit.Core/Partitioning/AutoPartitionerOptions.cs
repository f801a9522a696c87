namespace EdgeSplit.Partitioning;

/// <summary>How long <see cref="AutoPartitioner"/> searches.</summary>
public sealed record AutoPartitionerOptions
{
    /// <summary>
    /// How long to search on an ordinary core. It is counted in work done rather than by the clock, so that a plan does not depend on
    /// the machine or on what else it does; the clock stops a search only at twenty times this.
    /// </summary>
    /// <value>Default: 200 ms.</value>
    public TimeSpan TimeBudget
    {
        get;
        init => field = value > TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "The time budget must be above 0.");
    } = TimeSpan.FromMilliseconds(200);

    /// <summary>The search stops when the plan is proven to be within this fraction of the best possible.</summary>
    /// <value>Default: 0, the best possible.</value>
    public double AcceptedGap
    {
        get;
        init => field = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A gap is 0 or more.");
    }
}
