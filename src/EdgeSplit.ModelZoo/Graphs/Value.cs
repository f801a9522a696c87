namespace EdgeSplit.ModelZoo.Graphs;

/// <summary>A tensor of a graph that is being built.</summary>
/// <param name="Name">Its name in the graph.</param>
/// <param name="Width">The channels of an image (axis 1) or the features of anything else (last axis); 0 where no layer needs it.</param>
internal readonly record struct Value(string Name, int Width = 0)
{
    /// <summary>An optional input that is left out.</summary>
    public static Value None => new("");
}
