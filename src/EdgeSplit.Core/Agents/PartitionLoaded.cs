namespace EdgeSplit.Agents;

/// <summary>An agent's word that a partition is ready.</summary>
/// <param name="PartitionId">The partition.</param>
/// <param name="LoadTime">The time from the request to readiness, transfers included.</param>
/// <param name="ReceivedBytes">Bytes of weights that the agent lacked and fetched.</param>
public sealed record PartitionLoaded(string PartitionId, TimeSpan LoadTime, long ReceivedBytes);
