using EdgeSplit.Coordination.Internal;
using EdgeSplit.Devices;

namespace EdgeSplit.Coordination.Adaptation.Internal;

/// <summary>A link that can be probed and corrected: between the coordinator and an agent, or from one agent to another.</summary>
internal abstract class WatchedLink
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
    public sealed class ToAgent(AgentEntry agent) : WatchedLink
    {
        public override Link? Link => agent.Link;

        public override void Revise(Link link) => agent.Revise(link);

        public override ValueTask<TimeSpan> ProbeAsync(int payloadByteCount, CancellationToken cancellationToken) => agent.Agent.ProbeAsync(payloadByteCount, cancellationToken);
    }

    /// <summary>The link from one agent to another.</summary>
    public sealed class BetweenAgents(PeerLinks peers, AgentEntry from, AgentEntry to) : WatchedLink
    {
        public override Link? Link => peers.Find(from, to);

        public override void Revise(Link link) => peers.Revise(from, to, link);

        public override ValueTask<TimeSpan> ProbeAsync(int payloadByteCount, CancellationToken cancellationToken) => PeerLinks.ProbeAsync(from, to, payloadByteCount, cancellationToken);

        public override void Break() => peers.Break(from, to);
    }
}
