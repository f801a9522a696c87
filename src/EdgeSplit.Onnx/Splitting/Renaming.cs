using EdgeSplit.Onnx.Format;

namespace EdgeSplit.Onnx.Splitting;

/// <summary>Renames values of the main graph in a node, also where its bodies capture them.</summary>
internal static class Renaming
{
    /// <summary>The node itself where it does not use the values, or else a changed copy.</summary>
    public static NodeProto Apply(NodeProto node, IReadOnlyDictionary<string, string> names, IEnumerable<string> usedByNode)
    {
        if (names.Count == 0 || !usedByNode.Any(names.ContainsKey))
            return node;
        NodeProto copy = node.Clone();
        Rename(copy, names);
        return copy;
    }

    private static void Rename(NodeProto node, IReadOnlyDictionary<string, string> names)
    {
        for (int i = 0; i < node.Input.Count; i++)
            node.Input[i] = names.GetValueOrDefault(node.Input[i], node.Input[i]);
        for (int i = 0; i < node.Output.Count; i++)
            node.Output[i] = names.GetValueOrDefault(node.Output[i], node.Output[i]);
        foreach (GraphProto body in Graphs.Captures.Bodies(node))
            Rename(body, names);
    }

    private static void Rename(GraphProto body, IReadOnlyDictionary<string, string> names)
    {
        IReadOnlySet<string> hidden = Graphs.Captures.DefinedBy(body);
        Dictionary<string, string> visible = names.Where(pair => !hidden.Contains(pair.Key)).ToDictionary(StringComparer.Ordinal);
        if (visible.Count == 0)
            return;
        foreach (NodeProto node in body.Node)
            Rename(node, visible);
        foreach (ValueInfoProto output in body.Output)
            output.Name = visible.GetValueOrDefault(output.Name, output.Name);
    }
}
