namespace EdgeSplit.Testbed.Load;

/// <summary>What became of one request.</summary>
/// <param name="Started">When it was asked for, a timestamp of <see cref="System.Diagnostics.Stopwatch"/>.</param>
/// <param name="Ended">When it ended.</param>
/// <param name="Id">The id that its result carried; empty where it failed.</param>
/// <param name="Epoch">The plan that it ran on; 0 where it failed.</param>
/// <param name="Difference">The largest difference from the unsplit model's outputs, relative to their largest element.</param>
/// <param name="Failure">Why it failed, or null.</param>
public sealed record LoadOutcome(long Started, long Ended, Guid Id, long Epoch, double Difference, Exception? Failure)
{
    /// <summary>What splitting may change: the tolerance that <c>edgesplit verify</c> checks with.</summary>
    public const double Tolerance = 1e-4;

    /// <summary>How long it took.</summary>
    public TimeSpan Latency => System.Diagnostics.Stopwatch.GetElapsedTime(Started, Ended);

    /// <summary>Whether it gave what the unsplit model gives.</summary>
    public bool IsRight => Failure is null && Difference <= Tolerance;
}
