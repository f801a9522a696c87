using System.Collections.Frozen;
using EdgeSplit.Tensors;

namespace EdgeSplit.Onnx.Graphs;

/// <summary>
/// Which 16-bit floats cross a cut as 32-bit floats. Where ONNX Runtime has no half-precision kernel (on CPUs: for nearly
/// all arithmetic) it computes in single precision and drops the casts between two such operators, and those around a lone
/// operator that would have a kernel, so what passes between them is never rounded to 16 bits. A cut that rounds it gives
/// other results than the unsplit model.
/// </summary>
internal sealed class HalfPrecision(OnnxGraph graph, ValueTypes types)
{
    /// <summary>Operators with a half-precision kernel on CPUs, as far as known.</summary>
    private static readonly FrozenSet<string> OperatorsWithKernel = FrozenSet.ToFrozenSet(
    [
        "Cast", "Concat", "DequantizeLinear", "Expand", "Flatten", "Gather", "GroupQueryAttention", "Identity", "LayerNormalization", "MatMulNBits",
        "QuantizeLinear", "Reshape", "RotaryEmbedding", "SimplifiedLayerNormalization", "SkipLayerNormalization",
        "SkipSimplifiedLayerNormalization", "Slice", "Split", "Squeeze", "Transpose", "Unsqueeze",
    ], StringComparer.Ordinal);

    private readonly FrozenSet<string> _outputs = graph.Outputs.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Whether a value crosses cuts as 32-bit floats, and is an internal value of the model.</summary>
    public bool IsWidened(string value) => IsComputed(value) && !_outputs.Contains(value);

    /// <summary>Whether a value must not cross a cut: it is wider than the model's output of the same name.</summary>
    public bool IsTied(string value) => IsComputed(value) && _outputs.Contains(value);

    /// <summary>What is known of a value at a cut.</summary>
    public TensorInfo AtCut(string value) => IsWidened(value) ? types.Of(value) with { ElementType = TensorElementType.Float } : types.Of(value);

    /// <summary>Whether the maker of a value has a half-precision kernel.</summary>
    public bool MakerHasKernel(string value) => graph.ProducerOf(value) is { } maker && OperatorsWithKernel.Contains(maker.Proto.OpType);

    /// <summary>Whether a reader of a value has a half-precision kernel.</summary>
    public bool AnyReaderHasKernel(string value) => graph.ReadersOf(value).Any(static reader => OperatorsWithKernel.Contains(reader.Proto.OpType));

    private bool IsComputed(string value) => types.Of(value).ElementType == TensorElementType.Float16 && graph.ProducerOf(value) is not null;
}
