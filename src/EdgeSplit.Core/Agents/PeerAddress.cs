namespace EdgeSplit.Agents;

/// <summary>Where an agent can be reached by other agents.</summary>
/// <param name="AgentId">The agent's id; whoever answers there must have it.</param>
/// <param name="Address">The address, such as <c>HOST:PORT</c>.</param>
public sealed record PeerAddress(string AgentId, string Address);
