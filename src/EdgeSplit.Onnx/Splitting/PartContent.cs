using EdgeSplit.Onnx.Graphs;

namespace EdgeSplit.Onnx.Splitting;

/// <summary>The nodes, initializers and values of a part.</summary>
/// <param name="Nodes">The nodes in topological order, copies of constants and recomputed values included.</param>
/// <param name="Initializers">The names of the initializers.</param>
/// <param name="Values">The names of all values.</param>
internal sealed record PartContent(IReadOnlyList<GraphNode> Nodes, IReadOnlySet<string> Initializers, IReadOnlySet<string> Values)
{
    /// <summary>Goes back from a part's own nodes and outputs to its inputs, and takes along what makes the values in between.</summary>
    public static PartContent Collect(OnnxGraph graph, IEnumerable<GraphNode> ownNodes, IEnumerable<string> inputs, IEnumerable<string> outputs)
    {
        var given = inputs.ToHashSet(StringComparer.Ordinal);
        var values = new HashSet<string>(given, StringComparer.Ordinal);
        var nodes = new Dictionary<int, GraphNode>();
        var initializers = new HashSet<string>(StringComparer.Ordinal);
        var pending = new Stack<string>(outputs);
        foreach (GraphNode node in ownNodes)
            Add(node);
        while (pending.TryPop(out string? value))
        {
            if (!values.Add(value))
                continue;
            if (graph.IsInitializer(value))
                initializers.Add(value);
            else if (graph.ProducerOf(value) is { } maker)
                Add(maker);
            else
                throw new EdgeSplitException(EdgeSplitError.Internal, $"The part needs '{value}', which is neither inside it nor among its inputs.");
        }
        return new PartContent([.. nodes.Values.OrderBy(static node => node.Index)], initializers, values);

        void Add(GraphNode node)
        {
            if (!nodes.TryAdd(node.Index, node))
                return;
            foreach (string input in node.Inputs)
                pending.Push(input);
            foreach (string output in node.Outputs)
                pending.Push(output);
        }
    }
}
