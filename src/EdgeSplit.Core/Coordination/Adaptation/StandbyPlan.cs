using EdgeSplit.Partitioning;

namespace EdgeSplit.Coordination.Adaptation;

/// <summary>What is done if an agent is lost.</summary>
/// <param name="LostAgentId">The agent.</param>
/// <param name="AgentId">The agent that takes over what it runs.</param>
/// <param name="Plan">The plan in which it does.</param>
/// <param name="Readiness">How far that is prepared.</param>
public sealed record StandbyPlan(string LostAgentId, string AgentId, PartitionPlan Plan, StandbyReadiness Readiness);
