namespace EdgeSplit.Coordination.Batching.Internal;

/// <summary>The shapes of a request's inputs but for the batch dimension, as ranks and sizes: equal for requests that can be joined.</summary>
internal sealed class BatchShape(long[] sizes) : IEquatable<BatchShape>
{
    private readonly long[] _sizes = sizes;

    public bool Equals(BatchShape? other) => other is not null && _sizes.AsSpan().SequenceEqual(other._sizes);

    public override bool Equals(object? obj) => Equals(obj as BatchShape);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (long size in _sizes)
            hash.Add(size);
        return hash.ToHashCode();
    }
}
