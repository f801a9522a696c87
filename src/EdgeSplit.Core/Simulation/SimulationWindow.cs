namespace EdgeSplit.Simulation;

/// <summary>A span of simulated time, with the requests that were answered in it.</summary>
/// <param name="Start">Its start, from when requests start to come.</param>
/// <param name="Length">Its length.</param>
/// <param name="Requests">Requests that came.</param>
/// <param name="Completed">Requests that were answered, whenever they came.</param>
/// <param name="Failed">Requests that failed.</param>
/// <param name="MedianSeconds">The median latency of those that were answered; NaN where none was.</param>
/// <param name="P99Seconds">Their 99th percentile; NaN where none was.</param>
public sealed record SimulationWindow(TimeSpan Start, TimeSpan Length, long Requests, long Completed, long Failed, double MedianSeconds, double P99Seconds)
{
    /// <summary>Answers per second.</summary>
    public double CompletedPerSecond => Completed / Length.TotalSeconds;
}
