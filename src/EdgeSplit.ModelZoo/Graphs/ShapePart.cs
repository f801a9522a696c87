namespace EdgeSplit.ModelZoo.Graphs;

/// <summary>One dimension of a shape that is made at run time: a size from the graph, or a fixed one.</summary>
internal readonly record struct ShapePart(Value? Size, long Fixed)
{
    public static implicit operator ShapePart(Value size) => new(size, 0);

    public static implicit operator ShapePart(long size) => new(null, size);
}
