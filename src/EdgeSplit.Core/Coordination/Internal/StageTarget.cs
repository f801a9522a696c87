using EdgeSplit.Models;

namespace EdgeSplit.Coordination.Internal;

/// <summary>A stage of an epoch: what runs where.</summary>
/// <param name="Agent">The agent.</param>
/// <param name="Partition">What it runs.</param>
/// <param name="Window">Requests that may be under way at once for each that the agent runs at a time.</param>
internal sealed record StageTarget(AgentEntry Agent, ModelPartition Partition, int Window)
{
    /// <summary>Places for requests that are under way: whoever sends one takes a place, and gives it back when the answer is there.</summary>
    public SemaphoreSlim Places { get; } = new(Window * Math.Max(Agent.Description.Device.ConcurrentStages, 1));

    /// <summary>Whether another stage is the same partition on the same agent.</summary>
    public bool IsSameAs(StageTarget other) => Agent == other.Agent && Partition.Id == other.Partition.Id;

    /// <summary>The tag that measurements carry, boxed once.</summary>
    public KeyValuePair<string, object?> AgentTag { get; } = new("edgesplit.agent.id", Agent.Id);
}
