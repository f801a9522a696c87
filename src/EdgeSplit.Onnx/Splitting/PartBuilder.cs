using System.Collections.Immutable;
using EdgeSplit.Models;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Onnx.Graphs;
using EdgeSplit.Onnx.Layers;
using EdgeSplit.Onnx.Reading;
using EdgeSplit.Storage;
using Google.Protobuf;

namespace EdgeSplit.Onnx.Splitting;

/// <summary>Writes parts of a model as skeletons: models whose large weights are named by their content. Thread-safe.</summary>
internal sealed class PartBuilder
{
    private readonly OnnxGraph _graph;
    private readonly HalfPrecision _halfPrecision;
    private readonly ImmutableArray<LayerNodes> _layers;
    private readonly IReadOnlyDictionary<TensorProto, WeightData> _weights;
    private readonly ModelProto _modelShell;
    private readonly GraphProto _graphShell;

    public PartBuilder(OnnxGraph graph, HalfPrecision halfPrecision, ImmutableArray<LayerNodes> layers, IReadOnlyDictionary<TensorProto, WeightData> weights)
    {
        _graph = graph;
        _halfPrecision = halfPrecision;
        _layers = layers;
        _weights = weights;
        _modelShell = ShellOf(graph.Model);
        _graphShell = ShellOf(graph.Proto);
    }

    /// <summary>Builds the part of some layers.</summary>
    /// <param name="layers">The layers' indexes.</param>
    /// <param name="inputs">The values that enter, in the order of the part's inputs.</param>
    /// <param name="outputs">The values that leave, in the order of the part's outputs.</param>
    /// <param name="onBlob">Is told of each blob of the part and of where its bytes are.</param>
    public ModelPartition Build(IEnumerable<int> layers, ImmutableArray<string> inputs, ImmutableArray<string> outputs, Action<ContentHash, WeightData> onBlob)
    {
        PartContent content = PartContent.Collect(_graph, layers.SelectMany(layer => _layers[layer].Nodes), inputs, outputs);
        var blobs = new PartBlobs(_weights, onBlob);
        GraphProto part = _graphShell.Clone();
        new WidenedBoundary(_halfPrecision, inputs, outputs).AddNodes(part, content.Nodes, blobs.Externalize);
        part.Input.AddRange(inputs.Select(InputOf));
        part.Output.AddRange(outputs.Select(OutputOf));
        AddInitializers(part, content, blobs);
        var values = content.Values;
        var boundary = inputs.Concat(outputs).ToHashSet(StringComparer.Ordinal);
        part.ValueInfo.AddRange(_graph.Proto.ValueInfo.Where(value => values.Contains(value.Name) && !boundary.Contains(value.Name)));
        part.QuantizationAnnotation.AddRange(_graph.Proto.QuantizationAnnotation.Where(annotation => values.Contains(annotation.TensorName)));

        ModelProto model = _modelShell.Clone();
        model.Graph = part;
        IReadOnlySet<FunctionProto> functions = _graph.Functions.ReachableFrom(content.Nodes.Select(static node => node.Proto));
        model.Functions.AddRange(_graph.Model.Functions.Where(functions.Contains).Select(blobs.Externalize));
        return new ModelPartition
        {
            Skeleton = model.ToByteArray(),
            Blobs = blobs.All,
            Inputs = [.. inputs.Select(_halfPrecision.AtCut)],
            Outputs = [.. outputs.Select(_halfPrecision.AtCut)],
        };
    }

    /// <summary>An input of the model keeps its declaration; a value from inside gets the type that is known of it.</summary>
    private ValueInfoProto InputOf(string value) =>
        _graph.DeclaredInputs.TryGetValue(value, out ValueInfoProto? declared) ? declared : ValueDeclarations.Of(_halfPrecision.AtCut(value));

    private ValueInfoProto OutputOf(string value) =>
        _graph.Proto.Output.FirstOrDefault(output => output.Name == value) ?? ValueDeclarations.Of(_halfPrecision.AtCut(value));

    private void AddInitializers(GraphProto part, PartContent content, PartBlobs blobs)
    {
        foreach (TensorProto tensor in _graph.Proto.Initializer)
        {
            if (content.Initializers.Contains(tensor.Name) && ReferenceEquals(_graph.Initializers[tensor.Name], tensor))
                part.Initializer.Add(blobs.Externalize(tensor));
        }
        foreach (SparseTensorProto tensor in _graph.Proto.SparseInitializer)
        {
            if (content.Initializers.Contains(tensor.Values?.Name ?? ""))
                part.SparseInitializer.Add(blobs.Externalize(tensor));
        }
        // Initializers that are inputs stay so: old versions of the format ask for it, new ones mean a default by it.
        part.Input.AddRange(_graph.Proto.Input.Where(input => content.Initializers.Contains(input.Name)));
    }

    /// <summary>The model without graph and functions: versions, operator sets, metadata, and fields that this code does not know.</summary>
    private static ModelProto ShellOf(ModelProto model)
    {
        ModelProto shell = model.Clone();
        shell.Graph = null;
        shell.Functions.Clear();
        return shell;
    }

    private static GraphProto ShellOf(GraphProto graph)
    {
        GraphProto shell = graph.Clone();
        shell.Node.Clear();
        shell.Initializer.Clear();
        shell.SparseInitializer.Clear();
        shell.Input.Clear();
        shell.Output.Clear();
        shell.ValueInfo.Clear();
        shell.QuantizationAnnotation.Clear();
        return shell;
    }
}
