using EdgeSplit.Agents;
using EdgeSplit.Devices;

namespace EdgeSplit.Coordination.Internal;

/// <summary>An agent as the coordinator knows it.</summary>
internal sealed class AgentEntry(IEdgeAgent agent, AgentDescription description, Link link)
{
    public IEdgeAgent Agent => agent;

    public string Id => agent.Id;

    public AgentDescription Description => description;

    /// <summary>The link between the coordinator and the agent, both ways.</summary>
    public Link Link => link;

    /// <summary>Whether plans may use the agent: it was neither lost nor is it being removed.</summary>
    public bool IsUsable { get; set; } = true;
}
