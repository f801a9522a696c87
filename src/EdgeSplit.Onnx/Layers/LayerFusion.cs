using EdgeSplit.Onnx.Graphs;

namespace EdgeSplit.Onnx.Layers;

/// <summary>
/// Merges operators that should stay together: those that ONNX Runtime fuses (a convolution with what follows it, a
/// decomposed normalisation or activation, an attention head), and those behind which a cut is better than before them.
/// docs/splitting.md has the measurements that the rules come from.
/// </summary>
internal sealed class LayerFusion(OnnxGraph graph, NodeGroups groups, IReadOnlySet<GraphNode> live)
{
    /// <summary>Decomposed normalisations and activations have up to about ten operators; focus layers a few more.</summary>
    private const int MaxRegionNodes = 24;

    private readonly HashSet<string> _outputs = graph.Outputs.ToHashSet(StringComparer.Ordinal);

    public void Merge()
    {
        List<GraphNode> nodes = [.. live.Where(groups.Contains).OrderBy(static node => node.Index)];
        foreach (GraphNode node in nodes)
            MergeRegionBehind(node);
        foreach (string input in graph.RequiredInputs)
            MergeRegionBehind(input);
        foreach (GraphNode node in nodes)
            MergeWithProducers(node);
    }

    private void MergeRegionBehind(GraphNode node)
    {
        foreach (string output in node.Outputs)
            MergeRegionBehind(output);
    }

    /// <summary>
    /// Merges the smallest set of light operators that computes one value from several uses of another one alone: the parts
    /// of a LayerNorm, a Gelu or a Swish made of single operators.
    /// </summary>
    private void MergeRegionBehind(string entry)
    {
        if (Readers(entry).Count < 2)
            return;
        var inside = new HashSet<string>(StringComparer.Ordinal) { entry };
        var region = new List<GraphNode>();
        var frontier = new SortedSet<int>(Readers(entry).Select(static node => node.Index));
        while (frontier.Count > 0 && region.Count < MaxRegionNodes)
        {
            GraphNode node = graph.Nodes[frontier.Min];
            frontier.Remove(node.Index);
            if (!OperatorRoles.IsLight(node) || !groups.Contains(node) || !Activations(node).All(inside.Contains))
                continue;
            region.Add(node);
            inside.UnionWith(node.Outputs);
            frontier.UnionWith(node.Outputs.SelectMany(Readers).Select(static reader => reader.Index));
            if (region.Count(member => member.Inputs.Contains(entry)) > 1 && IsClosed(region))
            {
                foreach (GraphNode other in region.Skip(1))
                    groups.TryMerge(region[0], other);
                return;
            }
        }
    }

    /// <summary>Whether only the last node of a region has readers outside.</summary>
    private bool IsClosed(List<GraphNode> region)
    {
        var members = region.ToHashSet<GraphNode>(ReferenceEqualityComparer.Instance);
        return region.SkipLast(1).All(node => node.Outputs.All(output => !_outputs.Contains(output) && Readers(output).All(members.Contains)));
    }

    private void MergeWithProducers(GraphNode node)
    {
        List<string> activations = [.. Activations(node)];
        bool followsOne = OperatorRoles.IsFollower(node) || (OperatorRoles.IsCombiner(node) && activations.Count == 1);
        if (followsOne && activations.Count > 0 && IsReadOnlyByGroupOf(node, activations[0]))
        {
            MergeWithMaker(node, activations[0]);
        }
        else if (OperatorRoles.IsCombiner(node))
        {
            // A residual sum goes to the branch that ends in it; the other one usually starts far before.
            if (activations.Where(value => IsReadOnlyByGroupOf(node, value) && graph.ProducerOf(value) is not null)
                .MaxBy(value => graph.ProducerOf(value)!.Index) is { } latest)
                MergeWithMaker(node, latest);
        }
        else if (OperatorRoles.IsMatrixProduct(node) && activations.Count > 1)
        {
            // Both factors are activations: the inside of an attention head.
            foreach (string value in activations)
                MergeWithMaker(node, value);
        }
        else if (node.Proto.OpType is "MatMulInteger" or "ConvInteger")
        {
            foreach (string value in activations.Where(value => graph.ProducerOf(value)?.Proto.OpType == "DynamicQuantizeLinear"))
                MergeWithMaker(node, value);
        }
    }

    private void MergeWithMaker(GraphNode node, string value)
    {
        if (graph.ProducerOf(value) is { } maker && groups.Contains(maker))
            groups.TryMerge(maker, node);
    }

    /// <summary>Whether a value is no output of the model, and all its readers are in the group of one of them.</summary>
    private bool IsReadOnlyByGroupOf(GraphNode node, string value) => !_outputs.Contains(value)
        && Readers(value).All(reader => groups.Contains(reader) && groups.Find(reader) == groups.Find(node));

    /// <summary>The values that a node reads, constants and recomputed ones aside.</summary>
    private IEnumerable<string> Activations(GraphNode node) => node.Inputs.Where(input =>
        !graph.IsConstant(input) && !graph.IsInitializer(input) && (graph.ProducerOf(input) is not { } maker || groups.Contains(maker)));

    private IReadOnlyList<GraphNode> Readers(string value) => [.. graph.ReadersOf(value).Where(live.Contains)];
}
