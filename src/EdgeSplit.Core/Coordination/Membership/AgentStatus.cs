using EdgeSplit.Agents;
using EdgeSplit.Devices;

namespace EdgeSplit.Coordination.Membership;

/// <summary>An agent as the coordinator knows it at one moment.</summary>
/// <param name="Description">What it is.</param>
/// <param name="State">What it may be used for.</param>
/// <param name="Since">Since when.</param>
/// <param name="Reason">Why, in words; empty for one that is available.</param>
/// <param name="Link">The link to it.</param>
/// <param name="LatestReport">What it told last of its resources; null before its first report.</param>
public sealed record AgentStatus(AgentDescription Description, AgentState State, DateTimeOffset Since, string Reason, Link Link, ResourceReport? LatestReport)
{
    /// <summary>The agent's id.</summary>
    public string Id => Description.Device.Id;
}
