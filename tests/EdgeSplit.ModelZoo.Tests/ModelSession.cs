using EdgeSplit.Tensors;
using Microsoft.ML.OnnxRuntime;
using OrtElementType = Microsoft.ML.OnnxRuntime.Tensors.TensorElementType;

namespace EdgeSplit.ModelZoo.Tests;

/// <summary>A model file in ONNX Runtime, run on one thread.</summary>
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

    /// <summary>Runs the model on inputs of the zoo's making.</summary>
    public IReadOnlyDictionary<string, (long[] Shape, float[] Values)> Run(ZooEntry entry, int seed, IReadOnlyDictionary<string, long>? sizes = null) =>
        Run(entry.CreateInputs(seed, sizes).ToDictionary(static pair => pair.Key, static pair => ToOrtValue(pair.Value)));

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

    public static OrtValue ValueOf<T>(T[] values, params long[] shape)
        where T : unmanaged => OrtValue.CreateTensorValueFromMemory(values, shape);

    private static OrtValue ToOrtValue(Tensor tensor)
    {
        using (tensor)
        {
            return tensor.ElementType == TensorElementType.Float
                ? ValueOf(tensor.AsSpan<float>().ToArray(), [.. tensor.Shape.Dimensions])
                : ValueOf(tensor.AsSpan<long>().ToArray(), [.. tensor.Shape.Dimensions]);
        }
    }

    public static long[] ShapeOf(TensorInfo info, IReadOnlyDictionary<string, long> sizes) =>
        [.. info.Dimensions.Select(dimension => dimension.Size ?? sizes[dimension.Symbol!])];

    public static OrtElementType ElementTypeOf(TensorInfo info) => (OrtElementType)(int)info.ElementType;

    public void Dispose()
    {
        _options.Dispose();
        _session.Dispose();
    }
}
