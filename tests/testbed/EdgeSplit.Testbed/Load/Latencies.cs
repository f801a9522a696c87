namespace EdgeSplit.Testbed.Load;

/// <summary>Percentiles of durations.</summary>
public static class Latencies
{
    /// <summary>The duration that a share of them stays within (nearest rank); zero where there are none.</summary>
    public static TimeSpan At(IEnumerable<TimeSpan> durations, double percentile)
    {
        TimeSpan[] sorted = [.. durations.Order()];
        return sorted.Length == 0 ? TimeSpan.Zero : sorted[Math.Max((int)Math.Ceiling(percentile / 100 * sorted.Length) - 1, 0)];
    }
}
