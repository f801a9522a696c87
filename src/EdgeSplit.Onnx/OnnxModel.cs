using System.Collections.Concurrent;
using System.Collections.Immutable;
using EdgeSplit.Models;
using EdgeSplit.Onnx.Analysis;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Onnx.Graphs;
using EdgeSplit.Onnx.Layers;
using EdgeSplit.Onnx.Reading;
using EdgeSplit.Onnx.Splitting;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;

namespace EdgeSplit.Onnx;

/// <summary>
/// An open ONNX model. Its weights stay in their files and are read from there when a part is taken; memory holds the
/// rest, which is small. Thread-safe until disposed of.
/// </summary>
public sealed class OnnxModel : ISplittableModel
{
    private readonly ModelFile _file;
    private readonly OnnxGraph _graph;
    private readonly ImmutableArray<LayerNodes> _layers;
    private readonly PartBuilder _parts;
    private readonly ConcurrentDictionary<ContentHash, WeightData> _blobs = new();

    private OnnxModel(ModelFile file, OnnxModelOptions options, CancellationToken cancellationToken)
    {
        _file = file;
        _graph = new OnnxGraph(file.Model, file.Path);
        ValueTypes types = FindTypes(options, cancellationToken);
        var halfPrecision = new HalfPrecision(_graph, types);
        _layers = LayerGraphBuilder.Build(_graph, types, halfPrecision, options.Grouping);
        cancellationToken.ThrowIfCancellationRequested();
        string name = _graph.Proto.Name.Length > 0 ? _graph.Proto.Name : System.IO.Path.GetFileNameWithoutExtension(file.Path);
        Graph = ModelGraphs.Create(name, _graph, types, halfPrecision, _layers, file.Path);
        Inputs = [.. _graph.RequiredInputs.Select(types.Of)];
        Outputs = [.. _graph.Outputs.Select(types.Of)];
        Summary = new OnnxModelSummary(file.Model);
        _parts = new PartBuilder(_graph, halfPrecision, _layers, file.Weights);
    }

    /// <inheritdoc/>
    public ModelGraph Graph { get; }

    /// <summary>The inputs that a run must be given, in the model's order. Inputs with a default are not among them: every part that reads one has the default.</summary>
    public ImmutableArray<TensorInfo> Inputs { get; }

    /// <summary>The outputs in the model's order, each once.</summary>
    public ImmutableArray<TensorInfo> Outputs { get; }

    /// <summary>What the file says of itself.</summary>
    public OnnxModelSummary Summary { get; }

    /// <summary>The path of the model file.</summary>
    public string Path => _file.Path;

    /// <inheritdoc/>
    public ImmutableArray<string> ExternalFiles => _file.ExternalFiles;

    /// <summary>The model without its large weights, which it refers to in their files.</summary>
    internal ModelProto Skeleton => _file.Model;

    /// <summary>What each layer of <see cref="Graph"/> is made of.</summary>
    internal ImmutableArray<LayerNodes> LayerNodes => _layers;

    /// <summary>Opens a model file. The file, and the files of external data beside it, stay open and must not change.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NotFound"/>: there is no such file;
    /// <see cref="EdgeSplitError.InvalidModel"/>: the model is damaged or refers to data outside its folder.</exception>
    public static OnnxModel Open(string path, OnnxModelOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ModelFile file = ModelFile.Open(path);
        try
        {
            return new OnnxModel(file, options ?? new OnnxModelOptions(), cancellationToken);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public ModelPartition Extract(IReadOnlyCollection<int> layers)
    {
        ArgumentNullException.ThrowIfNull(layers);
        (ImmutableArray<string> inputs, ImmutableArray<string> outputs) = PartBoundary.Of(Graph, layers);
        return _parts.Build(layers.Distinct(), inputs, outputs, (hash, data) => _blobs.TryAdd(hash, data));
    }

    /// <summary>Finds the layers that are needed to compute some tensors, which is what comes before a cut there.</summary>
    /// <param name="tensors">Names of values inside the model.</param>
    /// <returns>Indexes of layers, ascending.</returns>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NotFound"/>: the model has no such tensor;
    /// <see cref="EdgeSplitError.IllegalCut"/>: the model cannot be cut there.</exception>
    public ImmutableArray<int> LayersUpTo(IReadOnlyCollection<string> tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        return CutFinder.LayersUpTo(_graph, Graph, _layers, tensors);
    }

    /// <inheritdoc/>
    /// <remarks>Knows the blobs of the parts taken so far.</remarks>
    public ValueTask<Stream> OpenBlobAsync(ContentHash hash, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return _blobs.TryGetValue(hash, out WeightData? data)
            ? ValueTask.FromResult(data.Open())
            : throw new EdgeSplitException(EdgeSplitError.NotFound, $"No part taken from '{Path}' so far has the blob {hash}.");
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private ValueTypes FindTypes(OnnxModelOptions options, CancellationToken cancellationToken)
    {
        var sizes = new RepresentativeSizes(options.FreeDimensions);
        ImmutableDictionary<string, long> none = ImmutableDictionary<string, long>.Empty;
        if (!options.InferShapes)
            return new ValueTypes(DeclaredTypes.Of(_file.Model.Graph, none), DeclaredTypes.Of(sizes.Fix(_file.Model).Graph, none), sizes);
        string folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path))!;
        IReadOnlyDictionary<string, TensorInfo> inferred = ShapeInference.Infer(_file.Model, folder, none, cancellationToken);
        bool isOpen = _graph.RequiredInputs.Any(input => inferred[input] is { Dimensions.IsDefault: false } info
            && info.Dimensions.Any(static dimension => dimension.Size is null));
        IReadOnlyDictionary<string, TensorInfo> sized = isOpen ? ShapeInference.Infer(sizes.Fix(_file.Model), folder, none, cancellationToken) : inferred;
        return new ValueTypes(inferred, sized, sizes);
    }
}
