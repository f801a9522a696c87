using System.Collections.Immutable;
using EdgeSplit.Onnx.Graphs;

namespace EdgeSplit.Onnx.Layers;

/// <summary>
/// Condenses a model's main graph to layers: constants and cheap values belong to no layer and are copied to where they are
/// needed, what cannot be separated is merged, and with <see cref="LayerGrouping.Fused"/> what should not be is merged too.
/// </summary>
internal sealed class LayerGraphBuilder
{
    private readonly OnnxGraph _graph;
    private readonly ValueTypes _types;
    private readonly Recomputation _recomputation;
    private readonly NodeGroups _groups;
    private readonly HashSet<GraphNode> _live;
    private readonly HashSet<string> _outputs;

    private LayerGraphBuilder(OnnxGraph graph, ValueTypes types)
    {
        _graph = graph;
        _types = types;
        _recomputation = new Recomputation(graph, types);
        _outputs = graph.Outputs.ToHashSet(StringComparer.Ordinal);
        _live = FindLiveNodes();
        _groups = new NodeGroups(graph, _live.Where(node => !_recomputation.IsCheap(node)));
    }

    /// <summary>The layers of a model in topological order, which is as near to the model's own as possible.</summary>
    public static ImmutableArray<LayerNodes> Build(OnnxGraph graph, ValueTypes types, HalfPrecision halfPrecision, LayerGrouping grouping)
    {
        var builder = new LayerGraphBuilder(graph, types);
        builder.MergeWhatCannotTravel(halfPrecision);
        if (grouping == LayerGrouping.Fused)
            new LayerFusion(graph, builder._groups, builder._live).Merge();
        return builder.Layers(grouping);
    }

    /// <summary>The nodes, constants aside, that an output of the model depends on; ONNX operators have no other effects.</summary>
    private HashSet<GraphNode> FindLiveNodes()
    {
        var live = new HashSet<GraphNode>(ReferenceEqualityComparer.Instance);
        var pending = new Stack<string>(_graph.Outputs);
        while (pending.TryPop(out string? value))
        {
            if (_graph.ProducerOf(value) is not { } node || _graph.IsConstant(node) || !live.Add(node))
                continue;
            foreach (string input in node.Inputs)
                pending.Push(input);
        }
        return live;
    }

    /// <summary>Keeps the maker and all readers of a value together that is no tensor, of a type that nobody knows, or not exact at a cut.</summary>
    private void MergeWhatCannotTravel(HalfPrecision halfPrecision)
    {
        foreach (GraphNode maker in _live)
        {
            foreach (string value in maker.Outputs.Where(value => !_types.CanTravel(value) || halfPrecision.IsTied(value)))
            {
                foreach (GraphNode reader in _graph.ReadersOf(value).Where(_live.Contains))
                    _groups.Merge(maker, reader);
            }
        }
    }

    private ImmutableArray<LayerNodes> Layers(LayerGrouping grouping)
    {
        if (grouping == LayerGrouping.Fused)
        {
            Resolve(out _);
            MergeSentCheapNodes();
        }
        while (true)
        {
            List<LayerNodes> layers = Resolve(out Dictionary<int, HashSet<int>> edges);
            if (!_groups.Condense(edges))
                return Sort(layers);
        }
    }

    /// <summary>Puts cheap nodes whose results are sent after all into the layer that makes what they read.</summary>
    private void MergeSentCheapNodes()
    {
        foreach (GraphNode node in _graph.Nodes.Where(node => _groups.Contains(node) && _recomputation.IsCheap(node)))
        {
            foreach (string input in node.Inputs)
            {
                if (_graph.ProducerOf(input) is { } maker && _groups.Contains(maker) && _groups.TryMerge(maker, node))
                    break;
            }
        }
    }

    /// <summary>Finds what each group reads, and makes groups of the cheap nodes that have to send their results after all.</summary>
    private List<LayerNodes> Resolve(out Dictionary<int, HashSet<int>> edges)
    {
        var inputs = new Dictionary<int, ImmutableArray<string>>();
        var pending = new Queue<GraphNode>();
        foreach (string output in _outputs)
        {
            if (_graph.ProducerOf(output) is { } maker && !_graph.IsConstant(maker))
                _groups.Add(maker);
        }
        foreach (IReadOnlyList<GraphNode> group in _groups.All)
            pending.Enqueue(group[0]);
        while (pending.TryDequeue(out GraphNode? node))
        {
            ImmutableArray<string> reads = ReadsOf(node);
            inputs[_groups.Find(node)] = reads;
            foreach (string value in reads)
            {
                if (_graph.ProducerOf(value) is { } maker && _groups.Add(maker))
                    pending.Enqueue(maker);
            }
        }

        edges = inputs.Keys.ToDictionary(static group => group, static _ => new HashSet<int>());
        var sent = new HashSet<string>(_outputs, StringComparer.Ordinal);
        foreach ((int group, ImmutableArray<string> values) in inputs)
        {
            foreach (string value in values)
            {
                sent.Add(value);
                if (_graph.ProducerOf(value) is { } maker)
                    edges[_groups.Find(maker)].Add(group);
            }
        }
        return [.. _groups.All.Select(nodes => new LayerNodes([.. nodes], inputs[_groups.Find(nodes[0])], [.. nodes.SelectMany(static node => node.Outputs).Where(sent.Contains)]))];
    }

    /// <summary>The values that a group reads from other groups or from the model's inputs, also through what it computes again.</summary>
    private ImmutableArray<string> ReadsOf(GraphNode member)
    {
        var made = new HashSet<string>(_groups.MembersOf(member).SelectMany(static node => node.Outputs), StringComparer.Ordinal);
        var direct = new HashSet<string>(StringComparer.Ordinal);
        var cheap = new List<string>();
        foreach (string value in _groups.MembersOf(member).SelectMany(static node => node.Inputs))
        {
            if (made.Contains(value) || _graph.IsConstant(value) || _graph.IsInitializer(value))
                continue;
            if (_graph.ProducerOf(value) is { } maker && _recomputation.IsCheap(maker))
                cheap.Add(value);
            else
                direct.Add(value);
        }
        var reads = new List<string>(direct);
        foreach (string value in cheap.Distinct(StringComparer.Ordinal))
        {
            if (!_recomputation.IsWorthwhile(value, root => direct.Contains(root) || made.Contains(root)))
                reads.Add(value);
            else
                reads.AddRange(_recomputation.RootsOf(value).Where(root => !made.Contains(root)));
        }
        return [.. reads.Distinct(StringComparer.Ordinal)];
    }

    /// <summary>Sorts the layers, and adds one for each output of the model that is a constant.</summary>
    private ImmutableArray<LayerNodes> Sort(List<LayerNodes> layers)
    {
        var makers = new Dictionary<string, int>(StringComparer.Ordinal);
        var successors = new HashSet<int>[layers.Count];
        for (int i = 0; i < layers.Count; i++)
        {
            successors[i] = [];
            foreach (string output in layers[i].Outputs)
                makers[output] = i;
        }
        for (int i = 0; i < layers.Count; i++)
        {
            foreach (string input in layers[i].Inputs)
            {
                if (makers.TryGetValue(input, out int maker))
                    successors[maker].Add(i);
            }
        }
        IEnumerable<LayerNodes> constants = _graph.Outputs
            .Where(output => _graph.IsConstant(output) || _graph.IsInitializer(output))
            .Select(static output => new LayerNodes([], [], [output]));
        return [.. TopologicalOrder.Of(successors).Select(index => layers[index]), .. constants];
    }
}
