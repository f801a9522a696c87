using System.Collections.Immutable;
using EdgeSplit.Onnx.Format;

namespace EdgeSplit.Onnx.Graphs;

/// <summary>
/// The main graph of a model with its names resolved: who makes each value, what is constant, in which order nodes can run.
/// Immutable once built.
/// </summary>
internal sealed class OnnxGraph
{
    /// <summary>From this version of the format on, an initializer that is also an input is a default that callers may replace.</summary>
    private const int FirstVersionWithDefaults = 4;

    private readonly string _model;
    private readonly Dictionary<string, GraphNode> _producers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<GraphNode>> _readers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TensorProto> _initializers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SparseTensorProto> _sparseInitializers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ValueInfoProto> _inputs = new(StringComparer.Ordinal);
    private readonly HashSet<string> _constants = new(StringComparer.Ordinal);
    private readonly HashSet<GraphNode> _constantNodes = new(ReferenceEqualityComparer.Instance);

    /// <param name="model">The model.</param>
    /// <param name="name">What to call the model in messages.</param>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidModel"/>.</exception>
    public OnnxGraph(ModelProto model, string name)
    {
        Model = model;
        _model = name;
        Functions = new FunctionTable(model.Functions);
        ReadInitializers();
        ReadInputs();
        Nodes = Sort(ReadNodes());
        foreach (GraphNode node in Nodes)
        {
            foreach (string output in node.Outputs)
                _producers[output] = node;
            foreach (string input in node.Inputs)
            {
                if (!_readers.TryGetValue(input, out List<GraphNode>? readers))
                    _readers.Add(input, readers = []);
                readers.Add(node);
            }
        }
        Outputs = [.. model.Graph.Output.Select(static output => output.Name).Distinct(StringComparer.Ordinal)];
        CheckNames();
        FindConstants();
    }

    public ModelProto Model { get; }

    public GraphProto Proto => Model.Graph;

    public FunctionTable Functions { get; }

    /// <summary>The nodes in topological order, which is the model's own where that is one.</summary>
    public ImmutableArray<GraphNode> Nodes { get; }

    /// <summary>The inputs that a caller must give, in the model's order.</summary>
    public ImmutableArray<string> RequiredInputs { get; private set; }

    /// <summary>The outputs in the model's order, each once.</summary>
    public ImmutableArray<string> Outputs { get; }

    public IReadOnlyDictionary<string, TensorProto> Initializers => _initializers;

    public IReadOnlyDictionary<string, SparseTensorProto> SparseInitializers => _sparseInitializers;

    /// <summary>All declared inputs, those with a default included.</summary>
    public IReadOnlyDictionary<string, ValueInfoProto> DeclaredInputs => _inputs;

    public GraphNode? ProducerOf(string value) => _producers.GetValueOrDefault(value);

    /// <summary>The nodes that read a value, in topological order.</summary>
    public IReadOnlyList<GraphNode> ReadersOf(string value) => _readers.GetValueOrDefault(value) ?? [];

    public bool IsInitializer(string value) => _initializers.ContainsKey(value) || _sparseInitializers.ContainsKey(value);

    public bool IsRequiredInput(string value) => _inputs.ContainsKey(value) && !IsInitializer(value);

    /// <summary>Whether an initializer is only a default, which a caller may replace.</summary>
    public bool IsOverridable(string value) =>
        Model.IrVersion >= FirstVersionWithDefaults && _inputs.ContainsKey(value) && IsInitializer(value);

    /// <summary>Whether a value is the same in every run: an initializer that no caller can replace, or made of constants by repeatable nodes.</summary>
    public bool IsConstant(string value) => _constants.Contains(value);

    /// <summary>Whether a node makes constants; parts that need them get copies of it.</summary>
    public bool IsConstant(GraphNode node) => _constantNodes.Contains(node);

    private void ReadInitializers()
    {
        foreach (TensorProto tensor in Proto.Initializer)
        {
            if (tensor.Name.Length == 0)
                throw Invalid("an initializer has no name");
            // Of several with one name the last counts, as in ONNX Runtime.
            _initializers[tensor.Name] = tensor;
        }
        foreach (SparseTensorProto tensor in Proto.SparseInitializer)
        {
            string name = tensor.Values?.Name ?? "";
            if (name.Length == 0)
                throw Invalid("a sparse initializer has no name");
            _sparseInitializers[name] = tensor;
        }
    }

    private void ReadInputs()
    {
        foreach (ValueInfoProto input in Proto.Input)
        {
            if (input.Name.Length == 0)
                throw Invalid("an input has no name");
            if (!_inputs.TryAdd(input.Name, input))
                throw Invalid($"two inputs are called '{input.Name}'");
        }
        RequiredInputs = [.. Proto.Input.Select(static input => input.Name).Where(IsRequiredInput)];
    }

    private List<GraphNode> ReadNodes()
    {
        var nodes = new List<GraphNode>(Proto.Node.Count);
        foreach (NodeProto proto in Proto.Node)
        {
            if (proto.OpType.Length == 0)
                throw Invalid($"the node {Describe(proto)} has no operator type");
            nodes.Add(new GraphNode(nodes.Count, proto, [.. Captures.ReadBy(proto)], [.. proto.Output.Where(static output => output.Length > 0)]));
        }
        return nodes;
    }

    private ImmutableArray<GraphNode> Sort(List<GraphNode> nodes)
    {
        var producers = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (GraphNode node in nodes)
        {
            foreach (string output in node.Outputs)
            {
                if (_inputs.ContainsKey(output) || IsInitializer(output))
                    throw Invalid($"the node {Describe(node.Proto)} makes '{output}', which is also an input or initializer");
                // ONNX Runtime turns Constant nodes into initializers, of which the last of a name counts.
                if (producers.TryGetValue(output, out int other) && !(IsConstantNode(node.Proto) && IsConstantNode(nodes[other].Proto)))
                    throw Invalid($"two nodes make '{output}'");
                producers[output] = node.Index;
            }
        }
        var successors = new HashSet<int>[nodes.Count];
        for (int i = 0; i < successors.Length; i++)
            successors[i] = [];
        foreach (GraphNode node in nodes)
        {
            foreach (string input in node.Inputs)
            {
                if (producers.TryGetValue(input, out int producer))
                    successors[producer].Add(node.Index);
            }
        }
        List<int> order = TopologicalOrder.Of(successors);
        if (order.Count < nodes.Count)
        {
            GraphNode stuck = nodes[Enumerable.Range(0, nodes.Count).Except(order).First()];
            throw Invalid($"its nodes form a cycle; one node in or behind it is {Describe(stuck.Proto)}");
        }
        return [.. order.Select((old, index) => nodes[old] with { Index = index })];
    }

    private static bool IsConstantNode(NodeProto node) => node.OpType == "Constant" && OperatorDomains.Normalize(node.Domain) == OperatorDomains.Onnx;

    private void CheckNames()
    {
        foreach (GraphNode node in Nodes)
        {
            foreach (string input in node.Inputs)
            {
                if (!IsDefined(input))
                    throw Invalid($"the node {Describe(node.Proto)} reads '{input}', which nothing makes");
            }
        }
        foreach (string output in Outputs)
        {
            if (!IsDefined(output))
                throw Invalid($"nothing makes its output '{output}'");
        }
    }

    private bool IsDefined(string value) => _producers.ContainsKey(value) || _inputs.ContainsKey(value) || IsInitializer(value);

    private void FindConstants()
    {
        foreach (string name in _initializers.Keys.Concat(_sparseInitializers.Keys))
        {
            if (!IsOverridable(name))
                _constants.Add(name);
        }
        foreach (GraphNode node in Nodes)
        {
            if (node.Inputs.All(_constants.Contains) && Repeatability.IsRepeatable(node.Proto, Functions))
            {
                _constantNodes.Add(node);
                _constants.UnionWith(node.Outputs);
            }
        }
    }

    private EdgeSplitException Invalid(string what) => new(EdgeSplitError.InvalidModel, $"'{_model}' is not a valid model: {what}.");

    private static string Describe(NodeProto node) =>
        node.Name.Length > 0 ? $"'{node.Name}' ({node.OpType})" : $"{node.OpType} that makes '{node.Output.FirstOrDefault()}'";
}
