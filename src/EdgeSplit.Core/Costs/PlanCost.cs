namespace EdgeSplit.Costs;

/// <summary>What a plan is predicted to cost, for one request unless said otherwise.</summary>
public readonly record struct PlanCost
{
    /// <summary>The makespan: seconds from a request's arrival until its result is at the sink, nothing else in flight.</summary>
    public required double LatencySeconds { get; init; }

    /// <summary>Seconds that the busiest device or link is busy with one request: its inverse bounds the throughput.</summary>
    public required double BottleneckSeconds { get; init; }

    /// <summary>Bytes that travel between devices.</summary>
    public required long TransferredBytes { get; init; }

    /// <summary>Joules that devices and links spend.</summary>
    public required double EnergyJoules { get; init; }

    /// <summary>
    /// How unevenly the devices are used: the largest compute time of a device over the mean of all devices, less 1; 0 when balanced.
    /// </summary>
    public required double LoadImbalance { get; init; }
}
