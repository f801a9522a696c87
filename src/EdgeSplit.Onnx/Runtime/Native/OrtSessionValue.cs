using EdgeSplit.Tensors;

namespace EdgeSplit.Onnx.Runtime.Native;

/// <summary>An input or output of a session.</summary>
/// <param name="Info">Name, type and dimensions; the element type is undefined for what is not a tensor.</param>
/// <param name="Kind">What the value is.</param>
internal sealed record OrtSessionValue(TensorInfo Info, OrtValueKind Kind);

/// <summary>The kinds of values; the numbers are those of the C API.</summary>
internal enum OrtValueKind
{
    Unknown = 0,
    Tensor = 1,
    Sequence = 2,
    Map = 3,
    Opaque = 4,
    SparseTensor = 5,
    Optional = 6,
}
