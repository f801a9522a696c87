using EdgeSplit.Tensors;
using Microsoft.ML.OnnxRuntime;
using OrtElementType = Microsoft.ML.OnnxRuntime.Tensors.TensorElementType;

namespace EdgeSplit.ModelZoo.Tests;

/// <summary>A model file in ONNX Runtime, fed with random inputs that the models of the zoo accept.</summary>
internal sealed class ModelSession : IDisposable
{
    private readonly InferenceSession _session;
    private readonly RunOptions _options = new();

    public ModelSession(string path)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1, GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_BASIC };
        _session = new InferenceSession(path, options);
    }

    public IReadOnlyDictionary<string, NodeMetadata> Inputs => _session.InputMetadata;

    public IReadOnlyDictionary<string, NodeMetadata> Outputs => _session.OutputMetadata;

    /// <summary>Runs the model; ids are small enough for every vocabulary, masks are all ones.</summary>
    public IReadOnlyDictionary<string, (long[] Shape, float[] Values)> Run(ZooEntry entry, IReadOnlyDictionary<string, long> sizes, int seed)
    {
        var random = new Random(seed);
        var feeds = new Dictionary<string, OrtValue>();
        foreach (TensorInfo input in entry.Inputs)
        {
            long[] shape = ShapeOf(input, sizes);
            long count = shape.Aggregate(1L, static (product, size) => product * size);
            feeds[input.Name] = input.ElementType == Tensors.TensorElementType.Float
                ? Tensor([.. Enumerable.Range(0, (int)count).Select(_ => (random.NextSingle() * 2) - 1)], shape)
                : Tensor([.. Enumerable.Range(0, (int)count).Select(_ => Id(input.Name))], shape);
        }
        return Run(feeds);

        long Id(string name) => name switch
        {
            "attention_mask" => 1,
            "token_type_ids" => random.Next(2),
            _ => random.Next(1000),
        };
    }

    /// <summary>Runs the model and disposes of the inputs.</summary>
    public IReadOnlyDictionary<string, (long[] Shape, float[] Values)> Run(IReadOnlyDictionary<string, OrtValue> feeds)
    {
        using IDisposableReadOnlyCollection<OrtValue> results = _session.Run(_options, feeds, _session.OutputNames);
        foreach (OrtValue feed in feeds.Values)
            feed.Dispose();
        return _session.OutputNames.Zip(results).ToDictionary(
            static pair => pair.First,
            static pair => (pair.Second.GetTensorTypeAndShape().Shape, pair.Second.GetTensorDataAsSpan<float>().ToArray()));
    }

    public static OrtValue Tensor<T>(T[] values, params long[] shape)
        where T : unmanaged => OrtValue.CreateTensorValueFromMemory(values, shape);

    public static long[] ShapeOf(TensorInfo info, IReadOnlyDictionary<string, long> sizes) =>
        [.. info.Dimensions.Select(dimension => dimension.Size ?? sizes[dimension.Symbol!])];

    public static OrtElementType ElementTypeOf(TensorInfo info) => (OrtElementType)(int)info.ElementType;

    public void Dispose()
    {
        _options.Dispose();
        _session.Dispose();
    }
}
