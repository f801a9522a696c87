using System.Collections.Frozen;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Onnx.Graphs;
using EdgeSplit.Onnx.Reading;
using EdgeSplit.Tensors;

namespace EdgeSplit.Onnx.Layers;

/// <summary>
/// Finds the cheap nodes that a part may run again instead of being sent their results: arithmetic on shapes, small work on
/// token ids, masks and lengths that are inputs of the model, and dequantisation, whose input has fewer bytes. Where a value came from is told by its roots: the
/// values, neither constant nor cheap, that it depends on.
/// </summary>
internal sealed class Recomputation
{
    /// <summary>No value on the way to a recomputed one may be larger.</summary>
    private const long MaxValueBytes = 64 << 10;

    /// <summary>No more nodes are run again for one value.</summary>
    private const int MaxChainNodes = 64;

    private static readonly FrozenSet<string> ShapeSources = FrozenSet.ToFrozenSet(["Shape", "Size"], StringComparer.Ordinal);

    /// <summary>Work whose result is about as large as its inputs.</summary>
    private static readonly FrozenSet<string> SmallOperators = FrozenSet.ToFrozenSet(
    [
        "Gather", "Concat", "Slice", "Squeeze", "Unsqueeze", "Cast", "Identity", "Reshape", "Add", "Sub", "Mul", "Div", "Mod", "Neg",
        "Abs", "Floor", "Ceil", "Round", "Sqrt", "Min", "Max", "ReduceProd", "ReduceMin", "ReduceMax", "ReduceSum", "Equal", "Less", "LessOrEqual",
        "Greater", "GreaterOrEqual", "Not", "And", "Or", "Where", "Split", "Transpose", "Flatten", "CastLike",
    ], StringComparer.Ordinal);

    /// <summary>Work whose result may be larger than its inputs, so that its size must be known.</summary>
    private static readonly FrozenSet<string> GrowingOperators = FrozenSet.ToFrozenSet(
        ["Expand", "ConstantOfShape", "Range", "Tile", "CumSum", "Trilu"], StringComparer.Ordinal);

    private readonly OnnxGraph _graph;
    private readonly ValueTypes _types;
    private readonly Dictionary<string, IReadOnlySet<string>> _roots = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _chainNodes = new(StringComparer.Ordinal);

    public Recomputation(OnnxGraph graph, ValueTypes types)
    {
        _graph = graph;
        _types = types;
        foreach (GraphNode node in graph.Nodes)
        {
            if (!graph.IsConstant(node))
                Consider(node);
        }
    }

    /// <summary>Whether a node may be run again by the parts that need its results.</summary>
    public bool IsCheap(GraphNode node) => node.Outputs.Length > 0 && _roots.ContainsKey(node.Outputs[0]);

    /// <summary>
    /// Whether a layer runs the nodes behind a cheap value again instead of reading it from another layer: when it has
    /// the roots anyway, when they are model inputs and smaller than the value, or when it is a quantised value.
    /// </summary>
    /// <param name="value">A value made by a cheap node.</param>
    /// <param name="available">Whether the layer reads or makes a value anyway.</param>
    public bool IsWorthwhile(string value, Func<string, bool> available)
    {
        IReadOnlySet<string> roots = _roots[value];
        if (roots.All(available) || IsDequantized(value))
            return true;
        long missingBytes = 0;
        foreach (string root in roots)
        {
            if (available(root))
                continue;
            if (!_graph.IsRequiredInput(root))
                return false;
            missingBytes += _types.ByteCount(root);
        }
        return missingBytes > 0 && missingBytes < _types.ByteCount(value);
    }

    /// <summary>The values, neither constant nor cheap, that a cheap value depends on.</summary>
    public IReadOnlySet<string> RootsOf(string value) => _roots[value];

    private void Consider(GraphNode node)
    {
        if (IsDequantization(node))
        {
            string quantized = node.Proto.Input[0];
            if (_types.CanTravel(quantized) && node.Inputs.All(input => input == quantized || _graph.IsConstant(input)) && node.Outputs.All(_types.CanTravel))
                _roots[node.Outputs[0]] = new HashSet<string>(StringComparer.Ordinal) { quantized };
            return;
        }
        if (node.Domain != OperatorDomains.Onnx || node.Outputs.IsEmpty || _graph.Functions.CalledBy(node.Proto) is not null
            || !node.Outputs.All(_types.CanTravel))
            return;
        bool isSource = ShapeSources.Contains(node.Proto.OpType);
        if (!isSource && !SmallOperators.Contains(node.Proto.OpType) && !GrowingOperators.Contains(node.Proto.OpType))
            return;

        var roots = new HashSet<string>(StringComparer.Ordinal);
        int chainNodes = 1;
        foreach (string input in node.Inputs)
        {
            if (IsSmallConstant(input))
                continue;
            if (_roots.TryGetValue(input, out IReadOnlySet<string>? deeper) && !IsDequantized(input))
            {
                roots.UnionWith(deeper);
                chainNodes += _chainNodes[input];
            }
            else if (isSource ? _types.CanTravel(input) : IsIndexInput(input))
            {
                roots.Add(input);
            }
            else
            {
                return;
            }
        }
        if (roots.Count == 0 || chainNodes > MaxChainNodes || !(isSource || node.Outputs.All(IsSmall) || IsShapeArithmetic(node)))
            return;
        foreach (string output in node.Outputs)
        {
            _roots[output] = roots;
            _chainNodes[output] = chainNodes;
        }
    }

    private bool IsDequantized(string value) => _graph.ProducerOf(value) is { } maker && IsDequantization(maker);

    private static bool IsDequantization(GraphNode node) =>
        node is { Proto.OpType: "DequantizeLinear", Domain: OperatorDomains.Onnx or OperatorDomains.Microsoft } && node.Outputs.Length == 1;

    /// <summary>Whether a value is a small input of whole numbers or truth values: ids, a mask, a length.</summary>
    private bool IsIndexInput(string value) => _graph.IsRequiredInput(value) && IsSmall(value)
        && _types.Of(value).ElementType is TensorElementType.Int64 or TensorElementType.Int32 or TensorElementType.Bool;

    /// <summary>A copy of a large constant (a table that is looked up, say) would cost more than sending the result.</summary>
    private bool IsSmallConstant(string value)
    {
        if (!_graph.IsConstant(value) && !_graph.IsOverridable(value))
            return false;
        return _graph.Initializers.TryGetValue(value, out TensorProto? tensor)
            ? !ExternalData.IsExternal(tensor)
            : _types.ByteCount(value) <= MaxValueBytes && !_graph.SparseInitializers.ContainsKey(value);
    }

    private bool IsSmall(string value) => _types.ByteCount(value) is > 0 and <= MaxValueBytes;

    /// <summary>Whether a node of unknown result size only does what cannot make it much larger than its small inputs.</summary>
    private bool IsShapeArithmetic(GraphNode node) =>
        SmallOperators.Contains(node.Proto.OpType) && node.Outputs.All(output => _types.ByteCount(output) <= MaxValueBytes);
}
