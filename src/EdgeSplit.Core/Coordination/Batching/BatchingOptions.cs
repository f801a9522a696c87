namespace EdgeSplit.Coordination.Batching;

/// <summary>How small requests of one model are joined and run as one.</summary>
/// <remarks>
/// Only models whose inputs and outputs all begin with one and the same dimension of open size are batched, and only requests whose
/// shapes are equal but for it. The first joined run is checked against the same requests each by itself; where the results differ
/// the model is never batched.
/// </remarks>
public sealed record BatchingOptions
{
    /// <summary>Rows of the batch dimension that are joined at most; requests that have as many by themselves are not joined.</summary>
    /// <value>Default: 8.</value>
    public int MaxBatch
    {
        get;
        init => field = value >= 2 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A batch joins at least two rows.");
    } = 8;

    /// <summary>How long a request waits at most for others to be joined with, before its turn at the coordinator comes.</summary>
    /// <value>Default: 2 ms.</value>
    public TimeSpan MaxDelay
    {
        get;
        init => field = value >= TimeSpan.Zero && value <= TimeSpan.FromMinutes(1) ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A request waits from 0 to 60 seconds for others.");
    } = TimeSpan.FromMilliseconds(2);
}
