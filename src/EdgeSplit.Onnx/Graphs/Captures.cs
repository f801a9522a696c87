using EdgeSplit.Onnx.Format;

namespace EdgeSplit.Onnx.Graphs;

/// <summary>
/// Finds what a node reads. A body may use values of the graphs around it at any depth; a name that the body itself
/// defines (an input, an initializer, or any node's output) hides the outer one.
/// </summary>
internal static class Captures
{
    /// <summary>The names that a node reads from its own graph or from further out, each once, in order of appearance.</summary>
    public static IEnumerable<string> ReadBy(NodeProto node)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (string name in Reads(node))
        {
            if (name.Length > 0 && seen.Add(name))
                yield return name;
        }
    }

    /// <summary>The graphs in a node's attributes.</summary>
    public static IEnumerable<GraphProto> Bodies(NodeProto node)
    {
        foreach (AttributeProto attribute in node.Attribute)
        {
            if (attribute.G is { } graph)
                yield return graph;
            foreach (GraphProto one in attribute.Graphs)
                yield return one;
        }
    }

    /// <summary>The names that a body defines itself.</summary>
    public static IReadOnlySet<string> DefinedBy(GraphProto body)
    {
        var own = new HashSet<string>(StringComparer.Ordinal);
        own.UnionWith(body.Input.Select(static input => input.Name));
        own.UnionWith(body.Initializer.Select(static tensor => tensor.Name));
        own.UnionWith(body.SparseInitializer.Select(static tensor => tensor.Values?.Name ?? ""));
        own.UnionWith(body.Node.SelectMany(static node => node.Output));
        return own;
    }

    private static IEnumerable<string> Reads(NodeProto node) => node.Input.Concat(Bodies(node).SelectMany(FreeNames));

    private static IEnumerable<string> FreeNames(GraphProto body)
    {
        IReadOnlySet<string> own = DefinedBy(body);
        return body.Node.SelectMany(Reads)
            .Concat(body.Output.Select(static output => output.Name))
            .Where(name => name.Length > 0 && !own.Contains(name));
    }
}
