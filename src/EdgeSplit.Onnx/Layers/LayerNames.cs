namespace EdgeSplit.Onnx.Layers;

/// <summary>Names and kinds for layers.</summary>
internal sealed class LayerNames
{
    private const int MaxListedOperators = 12;
    private readonly HashSet<string> _used = new(StringComparer.Ordinal);

    /// <summary>A name not used before: that of the layer's first node, or of its first output where the node has none.</summary>
    public string Next(LayerNodes layer)
    {
        string name = layer.Nodes.Select(static node => node.Proto.Name).FirstOrDefault(static name => name.Length > 0)
            ?? layer.Outputs.FirstOrDefault("layer");
        string unique = name;
        for (int i = 2; !_used.Add(unique); i++)
            unique = $"{name}#{i}";
        return unique;
    }

    /// <summary>The operator types in a layer, in order.</summary>
    public static string KindOf(LayerNodes layer)
    {
        if (layer.Nodes.IsEmpty)
            return "Constant";
        IEnumerable<string> types = layer.Nodes.Select(static node => node.Proto.OpType);
        return layer.Nodes.Length <= MaxListedOperators
            ? string.Join('+', types)
            : $"{string.Join('+', types.Take(MaxListedOperators))}+{layer.Nodes.Length - MaxListedOperators} more";
    }
}
