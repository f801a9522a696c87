using EdgeSplit.Onnx.Format;
using EdgeSplit.Tensors;

namespace EdgeSplit.Onnx.Graphs;

/// <summary>
/// What is known of the types of the main graph's values: what ONNX Runtime infers, or else what the model declares.
/// </summary>
internal sealed class ValueTypes
{
    private readonly Dictionary<string, ValueInfoProto> _declared = new(StringComparer.Ordinal);
    private readonly IReadOnlyDictionary<string, TensorInfo> _inferred;
    private readonly IReadOnlyDictionary<string, TensorInfo> _sized;
    private readonly RepresentativeSizes _sizes;

    /// <param name="graph">The model's main graph, whose declarations are one source.</param>
    /// <param name="inferred">Types with the shapes as open as they are in the model.</param>
    /// <param name="sized">Types with representative sizes.</param>
    /// <param name="sizes">Sizes for what is still open.</param>
    public ValueTypes(GraphProto graph, IReadOnlyDictionary<string, TensorInfo> inferred, IReadOnlyDictionary<string, TensorInfo> sized, RepresentativeSizes sizes)
    {
        foreach (ValueInfoProto value in graph.ValueInfo.Concat(graph.Output).Concat(graph.Input))
            _declared[value.Name] = value;
        _inferred = inferred;
        _sized = sized;
        _sizes = sizes;
    }

    /// <summary>What is known of a value; its element type is undefined where it is no tensor or nobody knows.</summary>
    public TensorInfo Of(string value)
    {
        if (_inferred.TryGetValue(value, out TensorInfo? inferred) && inferred.ElementType != TensorElementType.Undefined)
            return inferred;
        return _declared.TryGetValue(value, out ValueInfoProto? declared)
            ? TypeProtos.ToInfo(declared)
            : new TensorInfo(value, TensorElementType.Undefined, default);
    }

    /// <summary>Whether a value is known to be a tensor, which can be an input of a part.</summary>
    public bool CanTravel(string value) => Of(value).ElementType != TensorElementType.Undefined;

    /// <summary>What is known of a value, with representative sizes where they are known.</summary>
    public TensorInfo SizedOf(string value) => _sized.TryGetValue(value, out TensorInfo? sized) && !sized.Dimensions.IsDefault ? sized : Of(value);

    /// <summary>The bytes of a value at representative sizes; 0 where its type or rank is unknown.</summary>
    public long ByteCount(string value) => _sizes.ByteCount(SizedOf(value));
}
