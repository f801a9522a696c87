using System.Collections.Immutable;
using EdgeSplit.Models;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Onnx.Graphs;
using EdgeSplit.Onnx.Reading;

namespace EdgeSplit.Onnx.Layers;

/// <summary>The constants of a model, numbered in the order in which layers first need them.</summary>
internal sealed class ModelWeights(OnnxGraph graph, string modelPath)
{
    private readonly List<Weight> _weights = [];
    private readonly Dictionary<TensorProto, int> _indexes = new(ReferenceEqualityComparer.Instance);

    public ImmutableArray<Weight> All => [.. _weights];

    /// <summary>The indexes of the constants behind some nodes and values: initializers, constants in attributes and bodies, and what they are made of.</summary>
    public ImmutableArray<int> ReadBy(IEnumerable<GraphNode> nodes, IEnumerable<string> values)
    {
        var indexes = new SortedSet<int>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var pending = new Stack<string>(values);
        foreach (GraphNode node in nodes)
            Visit(node);
        while (pending.TryPop(out string? value))
        {
            if (!seen.Add(value))
                continue;
            if (graph.Initializers.TryGetValue(value, out TensorProto? tensor))
                indexes.Add(IndexOf(tensor, value));
            else if (graph.SparseInitializers.TryGetValue(value, out SparseTensorProto? sparse) && sparse.Values is { } elements)
                indexes.Add(IndexOf(elements, value));
            else if (graph.ProducerOf(value) is { } maker && graph.IsConstant(maker))
                Visit(maker);
        }
        return [.. indexes];

        void Visit(GraphNode node)
        {
            foreach (TensorProto tensor in TensorProtos.All(node.Proto))
                indexes.Add(IndexOf(tensor, tensor.Name.Length > 0 ? tensor.Name : node.Outputs.FirstOrDefault(node.Proto.OpType)));
            foreach (string input in node.Inputs)
                pending.Push(input);
        }
    }

    private int IndexOf(TensorProto tensor, string name)
    {
        if (_indexes.TryGetValue(tensor, out int index))
            return index;
        index = _weights.Count;
        _weights.Add(new Weight(index, name, TensorProtos.ByteCount(tensor, modelPath)));
        _indexes.Add(tensor, index);
        return index;
    }
}
