using EdgeSplit.Tensors;

namespace EdgeSplit.Onnx.Graphs;

/// <summary>What is known of the types of the main graph's values.</summary>
/// <param name="known">Types with the shapes as open as they are in the model.</param>
/// <param name="sized">Types with representative sizes.</param>
/// <param name="sizes">Sizes for what is still open.</param>
internal sealed class ValueTypes(IReadOnlyDictionary<string, TensorInfo> known, IReadOnlyDictionary<string, TensorInfo> sized, RepresentativeSizes sizes)
{
    /// <summary>What is known of a value; its element type is undefined where it is no tensor or nobody knows.</summary>
    public TensorInfo Of(string value) => known.GetValueOrDefault(value) ?? new TensorInfo(value, TensorElementType.Undefined, default);

    /// <summary>Whether a value is known to be a tensor, which can be an input of a part.</summary>
    public bool CanTravel(string value) => Of(value).ElementType != TensorElementType.Undefined;

    /// <summary>What is known of a value, with representative sizes where they are known.</summary>
    public TensorInfo SizedOf(string value) => sized.GetValueOrDefault(value) is { Dimensions.IsDefault: false } info ? info : Of(value);

    /// <summary>The bytes of a value at representative sizes; 0 where its type or rank is unknown.</summary>
    public long ByteCount(string value) => sizes.ByteCount(SizedOf(value));
}
