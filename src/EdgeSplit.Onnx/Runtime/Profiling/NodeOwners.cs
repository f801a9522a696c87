using EdgeSplit.Onnx.Format;

namespace EdgeSplit.Onnx.Runtime.Profiling;

/// <summary>
/// Finds, for each node of the graph that ONNX Runtime really runs, the layers of the model that its time belongs to. Nodes are
/// matched by the tensors they make: names of fused nodes are made up, but what they make keeps its name. Exceptions are the
/// blocked convolution layout, whose nodes are named after the tensor they replace, and conversions between layouts, which
/// belong to the node that reads the result.
/// </summary>
internal sealed class NodeOwners
{
    private const string BlockedLayoutSuffix = "_nchwc";

    private readonly IReadOnlyDictionary<string, int> _layerOfTensor;
    private readonly Dictionary<string, NodeProto> _makers = [];
    private readonly Dictionary<string, NodeProto> _originals = [];
    private readonly HashSet<string> _made;
    private readonly GraphProto _optimized;

    private NodeOwners(GraphProto original, GraphProto optimized, IReadOnlyDictionary<string, int> layerOfTensor)
    {
        _layerOfTensor = layerOfTensor;
        _optimized = optimized;
        foreach (NodeProto node in original.Node)
        {
            _originals[node.Name] = node;
            foreach (string output in node.Output)
                _makers[output] = node;
        }
        _made = [.. optimized.Node.SelectMany(TensorsOf)];
    }

    /// <summary>The layers of each node by the node's name; nodes of no layer are missing.</summary>
    /// <param name="original">The model, each node with a name of its own.</param>
    /// <param name="optimized">The graph that is run, in an order in which it can run.</param>
    /// <param name="layerOfTensor">The layer that makes each tensor of the model; tensors that every part makes for itself are missing.</param>
    public static IReadOnlyDictionary<string, IReadOnlySet<int>> Find(GraphProto original, GraphProto optimized, IReadOnlyDictionary<string, int> layerOfTensor) =>
        new NodeOwners(original, optimized, layerOfTensor).Find();

    private Dictionary<string, IReadOnlySet<int>> Find()
    {
        var owners = new Dictionary<string, IReadOnlySet<int>>();
        foreach (NodeProto node in _optimized.Node)
        {
            HashSet<int> layers = LayersFusedInto(node);
            if (layers.Count > 0)
                owners[node.Name] = layers;
        }
        Inherit(owners, _optimized.Node.Reverse(), static node => node.Output, static node => node.Input);
        Inherit(owners, _optimized.Node, static node => node.Input, static node => node.Output);
        return owners;
    }

    /// <summary>The tensors of the model that a node makes.</summary>
    private IEnumerable<string> TensorsOf(NodeProto node)
    {
        List<string> own = [.. node.Output.Where(output => output.Length > 0 && _makers.ContainsKey(output))];
        if (own.Count > 0)
            return own;
        int suffix = node.Name.LastIndexOf(BlockedLayoutSuffix, StringComparison.Ordinal);
        if (suffix > 0 && _makers.ContainsKey(node.Name[..suffix]))
            return [node.Name[..suffix]];
        return _originals.TryGetValue(node.Name, out NodeProto? kept) ? kept.Output.Where(static output => output.Length > 0) : [];
    }

    /// <summary>The layers of all the model's nodes that a node does the work of: back from what it makes to what other nodes make.</summary>
    private HashSet<int> LayersFusedInto(NodeProto node)
    {
        var layers = new HashSet<int>();
        var seen = new HashSet<string>(TensorsOf(node));
        var open = new Stack<string>(seen);
        while (open.TryPop(out string? tensor))
        {
            if (_layerOfTensor.TryGetValue(tensor, out int layer))
                layers.Add(layer);
            foreach (string input in _makers[tensor].Input)
            {
                if (_makers.ContainsKey(input) && !_made.Contains(input) && seen.Add(input))
                    open.Push(input);
            }
        }
        return layers;
    }

    /// <summary>Gives a node without layers those of a neighbour that comes before it in the given order.</summary>
    private static void Inherit(
        Dictionary<string, IReadOnlySet<int>> owners, IEnumerable<NodeProto> order, Func<NodeProto, IEnumerable<string>> towardsNeighbour, Func<NodeProto, IEnumerable<string>> awayFromNeighbour)
    {
        var layersAt = new Dictionary<string, IReadOnlySet<int>>();
        foreach (NodeProto node in order)
        {
            if (!owners.TryGetValue(node.Name, out IReadOnlySet<int>? layers))
            {
                layers = towardsNeighbour(node).Select(layersAt.GetValueOrDefault).FirstOrDefault(static found => found is not null);
                if (layers is null)
                    continue;
                owners[node.Name] = layers;
            }
            foreach (string tensor in awayFromNeighbour(node))
                layersAt[tensor] = layers;
        }
    }
}
