using EdgeSplit.Agents;
using EdgeSplit.Compression;

namespace EdgeSplit.Coordination.Internal;

/// <summary>Says which stages of a plan hand tensors to each other without the coordinator.</summary>
internal sealed class DirectRoutes(IReadOnlyList<StageTarget> targets, PeerLinks links)
{
    /// <summary>The version of the links that this rests on.</summary>
    public int Version { get; } = links.Version;

    /// <summary>Whether a stage sends what it makes straight to one that reads it, or its agent keeps it for that one.</summary>
    public bool IsDirect(int from, int to) => links.IsDirect(targets[from].Agent, targets[to].Agent);

    /// <summary>What a stage sends to another.</summary>
    public PeerDelivery Deliver(int from, int to, IEnumerable<string> outputs)
    {
        StageTarget target = targets[to];
        return new PeerDelivery(new PeerAddress(target.Agent.Id, target.Agent.Description.Address!), target.Partition.Id, [.. outputs])
        {
            Encoding = links.Find(targets[from].Agent, target.Agent)?.Compression?.Encoding ?? ActivationEncoding.None,
        };
    }
}
