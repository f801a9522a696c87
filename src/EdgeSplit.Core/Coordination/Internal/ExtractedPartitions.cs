using System.Collections.Immutable;
using EdgeSplit.Models;

namespace EdgeSplit.Coordination.Internal;

/// <summary>The partitions that were taken from a model of late: plans that follow each other share most of theirs.</summary>
internal sealed class ExtractedPartitions(ISplittableModel model)
{
    // Skeletons are small, but a long-running coordinator sees many.
    private const int Most = 64;

    private readonly Lock _lock = new();
    private readonly LinkedList<(ImmutableArray<int> Layers, ModelPartition Partition)> _latestFirst = [];

    /// <summary>The partition that runs some layers.</summary>
    public ModelPartition Get(ImmutableArray<int> layers)
    {
        lock (_lock)
        {
            for (LinkedListNode<(ImmutableArray<int> Layers, ModelPartition Partition)>? node = _latestFirst.First; node is not null; node = node.Next)
            {
                if (!node.Value.Layers.AsSpan().SequenceEqual(layers.AsSpan()))
                    continue;
                _latestFirst.Remove(node);
                _latestFirst.AddFirst(node);
                return node.Value.Partition;
            }
        }
        ModelPartition partition = model.Extract(layers);
        lock (_lock)
        {
            _latestFirst.AddFirst((layers, partition));
            if (_latestFirst.Count > Most)
                _latestFirst.RemoveLast();
        }
        return partition;
    }
}
