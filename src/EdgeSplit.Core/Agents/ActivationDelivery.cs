using EdgeSplit.Compression;
using EdgeSplit.Tensors;

namespace EdgeSplit.Agents;

/// <summary>Inputs of a run that come from another agent.</summary>
/// <param name="RequestId">The caller's request.</param>
/// <param name="PartitionId">The partition that reads them.</param>
/// <param name="Tensors">The tensors by the names of that partition's inputs.</param>
public sealed record ActivationDelivery(Guid RequestId, string PartitionId, IReadOnlyDictionary<string, Tensor> Tensors)
{
    /// <summary>How the tensors travel where they cross a link.</summary>
    public ActivationEncoding Encoding { get; init; }
}
