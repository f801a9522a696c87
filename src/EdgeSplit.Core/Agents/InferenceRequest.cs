using EdgeSplit.Compression;
using EdgeSplit.Tensors;

namespace EdgeSplit.Agents;

/// <summary>Asks an agent to run a partition once.</summary>
/// <param name="RequestId">The id of the caller's request, the same for all of its stages.</param>
/// <param name="PartitionId">The partition, loaded before.</param>
/// <param name="Inputs">The partition's inputs by name; borrowed until the call completes.</param>
public sealed record InferenceRequest(Guid RequestId, string PartitionId, IReadOnlyDictionary<string, Tensor> Inputs)
{
    /// <summary>How the inputs and outputs travel where they cross a link; a lossy encoding changes them.</summary>
    public ActivationEncoding Encoding { get; init; }

    /// <summary>What is exchanged with other agents directly; null where all inputs are here and all outputs come back.</summary>
    public PeerExchange? Exchange { get; init; }
}
