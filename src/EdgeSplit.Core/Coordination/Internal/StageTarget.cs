using EdgeSplit.Models;

namespace EdgeSplit.Coordination.Internal;

/// <summary>A stage of an epoch: what runs where.</summary>
internal sealed record StageTarget(AgentEntry Agent, ModelPartition Partition)
{
    /// <summary>The tag that measurements carry, boxed once.</summary>
    public KeyValuePair<string, object?> AgentTag { get; } = new("edgesplit.agent.id", Agent.Id);
}
