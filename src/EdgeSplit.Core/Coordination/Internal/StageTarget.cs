using EdgeSplit.Compression;
using EdgeSplit.Models;

namespace EdgeSplit.Coordination.Internal;

/// <summary>A stage of an epoch: what runs where.</summary>
internal sealed record StageTarget(AgentEntry Agent, ModelPartition Partition)
{
    /// <summary>How tensors travel to and from the agent.</summary>
    public ActivationEncoding Encoding { get; } = Agent.Link.Compression?.Encoding ?? ActivationEncoding.None;

    /// <summary>The tag that measurements carry, boxed once.</summary>
    public KeyValuePair<string, object?> AgentTag { get; } = new("edgesplit.agent.id", Agent.Id);
}
