using System.Collections.Frozen;
using EdgeSplit.Onnx.Graphs;

namespace EdgeSplit.Onnx.Layers;

/// <summary>What operators are to grouping: which do little work next to a matrix product, and which follow their producer.</summary>
internal static class OperatorRoles
{
    /// <summary>Operators that take one activation and that ONNX Runtime fuses with its producer, or that are cheapest right behind it.</summary>
    private static readonly FrozenSet<string> Followers = FrozenSet.ToFrozenSet(
    [
        // Activations.
        "Relu", "LeakyRelu", "PRelu", "Clip", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Elu", "Selu", "Celu", "Softplus", "Softsign", "Mish",
        "ThresholdedRelu", "Gelu", "FastGelu", "QuickGelu", "Swish", "Erf", "Softmax", "LogSoftmax", "Exp", "Sqrt", "Abs", "Neg", "Reciprocal",
        // Normalisation with constant statistics.
        "BatchNormalization", "Affine", "ImageScaler",
        // Views and changes of type or layout.
        "Identity", "Cast", "Dropout", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "DepthToSpace", "SpaceToDepth", "Crop", "Pad",
        // What leaves fewer bytes behind: cutting before it is never better.
        "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "QuantizeLinear",
    ], StringComparer.Ordinal);

    /// <summary>Element-wise operators on two values or more.</summary>
    private static readonly FrozenSet<string> Combiners = FrozenSet.ToFrozenSet(
        ["Add", "Sub", "Mul", "Div", "Sum", "Pow", "Min", "Max", "Where", "BiasGelu", "Mean"], StringComparer.Ordinal);

    /// <summary>Further light operators, which are found inside decomposed normalisations, activations and focus layers.</summary>
    private static readonly FrozenSet<string> OtherLight = FrozenSet.ToFrozenSet(
        ["ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL2", "Slice", "Split", "Concat", "Gather", "Expand", "Log", "Floor"], StringComparer.Ordinal);

    public static bool IsFollower(GraphNode node) => IsKnown(node) && Followers.Contains(node.Proto.OpType);

    public static bool IsCombiner(GraphNode node) => IsKnown(node) && Combiners.Contains(node.Proto.OpType);

    public static bool IsLight(GraphNode node) =>
        IsFollower(node) || IsCombiner(node) || (IsKnown(node) && OtherLight.Contains(node.Proto.OpType));

    public static bool IsMatrixProduct(GraphNode node) => node.Proto.OpType is "MatMul" or "Gemm" or "MatMulInteger" or "QLinearMatMul" or "FusedMatMul" or "Einsum";

    /// <summary>Whether ONNX Runtime's CPU kernels work on a blocked layout of the image, which a cut makes them undo.</summary>
    public static bool UsesBlockedLayout(GraphNode node) => node.Proto.OpType is "Conv" or "MaxPool" or "AveragePool" or "GlobalAveragePool" or "GlobalMaxPool" or "FusedConv";

    private static bool IsKnown(GraphNode node) => node.Domain is OperatorDomains.Onnx or OperatorDomains.Microsoft;
}
