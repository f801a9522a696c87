namespace EdgeSplit.Testbed.Chaos;

/// <summary>What was done to an agent that the plan in use needed, and what followed.</summary>
/// <param name="Kind">What was done.</param>
/// <param name="AgentId">To which agent.</param>
/// <param name="Detection">From then until the coordinator knew; null where it did not notice, or nothing had to be.</param>
/// <param name="Recovery">From then until the first result of a later plan; null where the plan stayed.</param>
/// <param name="WorstLatency">The longest request in flight during it.</param>
/// <param name="P99Latency">The 99th percentile of the requests in flight from the fault until half a second after recovery.</param>
/// <param name="Requests">The number of those.</param>
/// <param name="StoodBy">Whether another agent stood by for it with everything loaded.</param>
/// <param name="Course">What the coordinator decided meanwhile, and when, in milliseconds since it knew.</param>
public sealed record Fault(FaultKind Kind, string AgentId, TimeSpan? Detection, TimeSpan? Recovery, TimeSpan WorstLatency, TimeSpan P99Latency, int Requests, bool StoodBy, string Course);
