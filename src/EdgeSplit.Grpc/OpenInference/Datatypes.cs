using EdgeSplit.Tensors;

namespace EdgeSplit.Grpc.OpenInference;

/// <summary>
/// The protocol's names of element types. Types that the protocol has no name for go by their ONNX name in capitals, such as
/// <c>COMPLEX64</c>, <c>FLOAT8E4M3FN</c> or <c>INT4</c>, and only as raw bytes.
/// </summary>
internal static class Datatypes
{
    private static readonly Dictionary<TensorElementType, string> Names = Enum.GetValues<TensorElementType>()
        .Where(static type => type != TensorElementType.Undefined).ToDictionary(static type => type, static type => type switch
        {
            TensorElementType.Float16 => "FP16",
            TensorElementType.Float => "FP32",
            TensorElementType.Double => "FP64",
            TensorElementType.BFloat16 => "BF16",
            TensorElementType.String => "BYTES",
            _ => type.ToString().ToUpperInvariant(),
        });

    private static readonly Dictionary<string, TensorElementType> Types = Names.ToDictionary(static pair => pair.Value, static pair => pair.Key);

    public static string NameOf(TensorElementType type) => Names.GetValueOrDefault(type, "UNDEFINED");

    /// <summary>The type of a name.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidInput"/>: there is none.</exception>
    public static TensorElementType Parse(string name, string tensor) => Types.TryGetValue(name, out TensorElementType type)
        ? type
        : throw new EdgeSplitException(
            EdgeSplitError.InvalidInput, $"Input '{tensor}' has the datatype '{name}', which is unknown. Known are {string.Join(", ", Types.Keys.Order(StringComparer.Ordinal))}.");
}
