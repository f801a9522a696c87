namespace EdgeSplit.Costs;

/// <summary>How <see cref="CostCorrections"/> weigh what was measured.</summary>
public sealed record CostCorrectionOptions
{
    /// <summary>The times of each stage and link that count; older ones are forgotten. After half as many the median follows a change.</summary>
    /// <value>Default: 15.</value>
    public int Window
    {
        get;
        init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least one time counts.");
    } = 15;

    /// <summary>The times that a stage or link needs before it is corrected.</summary>
    /// <value>Default: 3.</value>
    public int LeastSamples
    {
        get;
        init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A correction needs at least one time.");
    } = 3;
}
