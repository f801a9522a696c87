using EdgeSplit.Coordination.Internal;
using EdgeSplit.Devices;

namespace EdgeSplit.Coordination.Adaptation.Internal;

/// <summary>A link that can be probed and corrected: between the coordinator and an agent, or from one agent to another.</summary>
internal abstract record WatchedLink
{
    /// <summary>The link as it is known; null where there is none any more.</summary>
    public abstract Link? Link { get; }

    /// <summary>Takes over what it has become.</summary>
    public abstract void Revise(Link link);

    /// <summary>Sends bytes over it and waits for the answer.</summary>
    public abstract ValueTask<TimeSpan> ProbeAsync(int payloadByteCount, CancellationToken cancellationToken);

    /// <summary>Notes that a probe found no way.</summary>
    public virtual void Break()
    {
    }

    /// <summary>The link between the coordinator and an agent.</summary>
    /// <param name="Agent">The agent.</param>
    /// <param name="Revised">Takes over what the link has become.</param>
    public sealed record ToAgent(AgentEntry Agent, Action<AgentEntry, Link> Revised) : WatchedLink
    {
        public override Link? Link => Agent.Link;

        public override void Revise(Link link) => Revised(Agent, link);

        public override string ToString() => $"the link to agent '{Agent.Id}'";

        public override ValueTask<TimeSpan> ProbeAsync(int payloadByteCount, CancellationToken cancellationToken) => Agent.Agent.ProbeAsync(payloadByteCount, cancellationToken);
    }

    /// <summary>The link from one agent to another.</summary>
    /// <param name="Peers">Knows it.</param>
    /// <param name="From">The one.</param>
    /// <param name="To">The other.</param>
    /// <param name="Revised">Takes over what it has become.</param>
    public sealed record BetweenAgents(PeerLinks Peers, AgentEntry From, AgentEntry To, Action<AgentEntry, AgentEntry, Link> Revised) : WatchedLink
    {
        public override Link? Link => Peers.Find(From, To);

        public override void Revise(Link link) => Revised(From, To, link);

        public override ValueTask<TimeSpan> ProbeAsync(int payloadByteCount, CancellationToken cancellationToken) => PeerLinks.ProbeAsync(From, To, payloadByteCount, cancellationToken);

        public override string ToString() => $"the link from agent '{From.Id}' to agent '{To.Id}'";

        public override void Break() => Peers.Break(From, To);
    }
}
