using EdgeSplit.Models;

namespace EdgeSplit.Agents;

/// <summary>Asks an agent to make a partition ready.</summary>
/// <param name="ModelName">The model's name, to show and to log.</param>
/// <param name="Partition">The partition; its weights are fetched by hash.</param>
public sealed record ModelPartitionRequest(string ModelName, ModelPartition Partition)
{
    /// <summary>Whether requests wait for it: then it is made ready by the shortest way, rather than by one that gives way to what runs or pays off later.</summary>
    public bool IsUrgent { get; init; }
}
