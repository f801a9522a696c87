namespace EdgeSplit.Costs;

/// <summary>Objectives that are ready made; see <see cref="WeightedCostModel.ForObjective"/>.</summary>
public enum PlanObjective
{
    /// <summary>The time of one request with nothing else in flight.</summary>
    Latency,

    /// <summary>Requests per second with many in flight: the busiest device or link is made as little busy as possible.</summary>
    Throughput,

    /// <summary>Joules per request.</summary>
    Energy,

    /// <summary>Latency, bandwidth, energy and load, each with weight 1.</summary>
    Weighted,
}
