using System.Collections.Immutable;
using EdgeSplit.ModelZoo.Weights;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Tensors;

namespace EdgeSplit.ModelZoo.Graphs;

/// <summary>
/// Builds a graph node by node. Nodes and tensors are named after the module they belong to, given as the dotted path
/// that PyTorch would show, in the way its exporter names them: <c>layer1.0.conv1</c> makes
/// <c>/layer1/layer1.0/conv1/Conv</c>, whose output is <c>/layer1/layer1.0/conv1/Conv_output_0</c>.
/// </summary>
internal sealed partial class OnnxGraphBuilder(string name)
{
    private readonly GraphProto _graph = new() { Name = name };
    private readonly List<WeightSpec> _weights = [];
    private readonly Dictionary<string, int> _usedNames = [];
    private readonly ImmutableArray<TensorInfo>.Builder _inputs = ImmutableArray.CreateBuilder<TensorInfo>();
    private readonly ImmutableArray<TensorInfo>.Builder _outputs = ImmutableArray.CreateBuilder<TensorInfo>();
    private readonly ImmutableDictionary<string, IdRange>.Builder _idRanges = ImmutableDictionary.CreateBuilder<string, IdRange>();

    /// <summary>Adds a float model input.</summary>
    /// <param name="name">The input's name.</param>
    /// <param name="shape">The dimensions, separated by commas: sizes, or names of sizes known at run time.</param>
    /// <param name="width">The <see cref="Value.Width"/>.</param>
    public Value Input(string name, string shape, int width)
    {
        _inputs.Add(Declare(_graph.Input, name, TensorElementType.Float, shape));
        return new Value(name, width);
    }

    /// <summary>Adds a float model input <c>input</c>: images of three channels, any number of them.</summary>
    public Value ImageInput(int pixels) => Input("input", $"batch, 3, {pixels}, {pixels}", 3);

    /// <summary>Adds an int64 model input whose values are in <paramref name="range"/>.</summary>
    public Value IdInput(string name, string shape, IdRange range)
    {
        _inputs.Add(Declare(_graph.Input, name, TensorElementType.Int64, shape));
        _idRanges.Add(name, range);
        return new Value(name);
    }

    /// <summary>Makes a float tensor a model output, renaming it.</summary>
    public void Output(Value value, string name, string shape)
    {
        foreach (NodeProto node in _graph.Node)
        {
            Rename(node.Input);
            Rename(node.Output);
        }
        _outputs.Add(Declare(_graph.Output, name, TensorElementType.Float, shape));

        void Rename(Google.Protobuf.Collections.RepeatedField<string> names)
        {
            for (int i = 0; i < names.Count; i++)
            {
                if (names[i] == value.Name)
                    names[i] = name;
            }
        }
    }

    /// <summary>Adds a weight; layers share one by using the same value.</summary>
    public Value Weight(string name, UniformRange values, params ReadOnlySpan<long> dimensions) => AddWeight(name, values, true, dimensions);

    /// <summary>Adds a node with one output.</summary>
    /// <param name="opType">The operator, of the default domain.</param>
    /// <param name="module">The dotted path of the module that the node belongs to; empty for the model itself.</param>
    /// <param name="width">The output's <see cref="Value.Width"/>.</param>
    /// <param name="inputs">What the node reads.</param>
    /// <param name="attributes">The node's attributes.</param>
    public Value Node(string opType, string module, int width, ReadOnlySpan<Value> inputs, params ReadOnlySpan<AttributeProto> attributes) =>
        Nodes(opType, module, width, 1, inputs, attributes)[0];

    /// <summary>Adds a node with several outputs of one width.</summary>
    public Value[] Nodes(string opType, string module, int width, int outputCount, ReadOnlySpan<Value> inputs, params ReadOnlySpan<AttributeProto> attributes)
    {
        var node = new NodeProto { OpType = opType, Name = UniqueName($"{ModulePath(module)}/{opType}") };
        foreach (Value input in inputs)
            node.Input.Add(input.Name);
        for (int i = 0; i < outputCount; i++)
            node.Output.Add($"{node.Name}_output_{i}");
        node.Attribute.AddRange(attributes.ToArray());
        _graph.Node.Add(node);
        return [.. node.Output.Select(output => new Value(output, width))];
    }

    /// <summary>The finished graph.</summary>
    public ZooGraph Build() => new(_graph, [.. _weights], _inputs.ToImmutable(), _outputs.ToImmutable(), _idRanges.ToImmutable());

    private Value AddWeight(string name, UniformRange values, bool isTrained, params ReadOnlySpan<long> dimensions)
    {
        if (!_usedNames.TryAdd(name, 1))
            throw new InvalidOperationException($"The weight '{name}' of '{_graph.Name}' is there already; to share it, use its value again.");
        _weights.Add(new WeightSpec(name, [.. dimensions], values, isTrained));
        return new Value(name);
    }

    private string UniqueName(string name)
    {
        int used = _usedNames.GetValueOrDefault(name);
        _usedNames[name] = used + 1;
        return used == 0 ? name : $"{name}_{used}";
    }

    /// <summary>A numbered module shows the name of the list that it stands in: <c>layer1.0</c> is <c>/layer1/layer1.0</c>.</summary>
    private static string ModulePath(string module)
    {
        string path = "", last = "";
        foreach (string part in module.Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            last = char.IsAsciiDigit(part[0]) ? $"{last}.{part}" : part;
            path += $"/{last}";
        }
        return path;
    }

    private static TensorInfo Declare(Google.Protobuf.Collections.RepeatedField<ValueInfoProto> list, string name, TensorElementType elementType, string shape)
    {
        var dimensions = ImmutableArray.CreateBuilder<Dimension>();
        var proto = new TensorShapeProto();
        foreach (string part in shape.Split(',', StringSplitOptions.TrimEntries))
        {
            bool known = long.TryParse(part, out long size);
            dimensions.Add(known ? new Dimension(size) : new Dimension(null, part));
            proto.Dim.Add(known ? new TensorShapeProto.Types.Dimension { DimValue = size } : new TensorShapeProto.Types.Dimension { DimParam = part });
        }
        var type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)elementType, Shape = proto } };
        list.Add(new ValueInfoProto { Name = name, Type = type });
        return new TensorInfo(name, elementType, dimensions.ToImmutable());
    }
}
