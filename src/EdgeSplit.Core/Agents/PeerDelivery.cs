using System.Collections.Immutable;
using EdgeSplit.Compression;

namespace EdgeSplit.Agents;

/// <summary>Outputs that an agent sends to another agent, whose partition reads them.</summary>
/// <param name="Peer">The other agent.</param>
/// <param name="PartitionId">The partition there.</param>
/// <param name="Outputs">The names of the outputs, which are the names of that partition's inputs.</param>
public sealed record PeerDelivery(PeerAddress Peer, string PartitionId, ImmutableArray<string> Outputs)
{
    /// <summary>How the outputs travel; a lossy encoding changes them.</summary>
    public ActivationEncoding Encoding { get; init; }
}
