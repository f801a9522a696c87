using System.Collections.Immutable;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;

namespace EdgeSplit.Models;

/// <summary>A part of a model: a small skeleton, and the weights it refers to by content hash.</summary>
public sealed record ModelPartition
{
    /// <summary>The partition in the model's format; its weights are external data in files named by their hash.</summary>
    public required ReadOnlyMemory<byte> Skeleton { get; init; }

    /// <summary>The blobs that the skeleton refers to, each once.</summary>
    public required ImmutableArray<BlobReference> Blobs { get; init; }

    /// <summary>The values that the partition needs, named as in the model.</summary>
    public required ImmutableArray<TensorInfo> Inputs { get; init; }

    /// <summary>The values that the partition makes, named as in the model.</summary>
    public required ImmutableArray<TensorInfo> Outputs { get; init; }

    /// <summary>The name of the partition everywhere: it depends on the content alone, so equal partitions share sessions and files.</summary>
    public string Id => field ??= ContentHash.Of(Skeleton.Span).ToString()[..16];

    /// <summary>Whether there is nothing to run: an agent that is to load it only fetches the weights, and counts no load.</summary>
    public bool IsWeightsOnly => Skeleton.IsEmpty;

    /// <summary>The same weights, and nothing to run.</summary>
    public ModelPartition WeightsOnly() => new() { Skeleton = default, Blobs = Blobs, Inputs = [], Outputs = [] };

    /// <summary>The bytes of the weights.</summary>
    public long WeightBytes => Blobs.Sum(static blob => blob.ByteCount);
}
