namespace EdgeSplit.Onnx.Analysis;

/// <summary>
/// Arithmetic of operators that visit each element a few times. The factors are counts of additions, multiplications and
/// comparisons; a transcendental function counts as the dozen operations of its polynomial.
/// </summary>
internal static class ElementCosts
{
    private const double Transcendental = 12;

    /// <summary>Operations of a node, 0 for one that only moves or describes data.</summary>
    public static double Of(NodeValues node) => node.Operator switch
    {
        "Add" or "Sub" or "Mul" or "Div" or "Mod" or "And" or "Or" or "Xor" or "Not" or "Neg" or "Abs" or "Relu" or "Ceil" or "Floor"
            or "Round" or "Sign" or "Sqrt" or "Reciprocal" or "Equal" or "Greater" or "Less" or "GreaterOrEqual" or "LessOrEqual"
            or "Where" or "Cast" or "CastLike" or "IsNaN" or "IsInf" or "BitShift" or "BitwiseAnd" or "BitwiseOr" or "BitwiseXor"
            or "BitwiseNot" => node.OutputElements(0),
        "Clip" or "LeakyRelu" or "ThresholdedRelu" or "PRelu" or "HardSigmoid" or "BatchNormalization" or "QuantizeLinear"
            or "DequantizeLinear" => 2 * node.OutputElements(0),
        "HardSwish" or "Shrink" or "DynamicQuantizeLinear" => 4 * node.OutputElements(0),
        "QLinearAdd" or "QLinearMul" => 6 * node.OutputElements(0),
        "Exp" or "Log" or "Sin" or "Cos" or "Tan" or "Asin" or "Acos" or "Atan" or "Sinh" or "Cosh" or "Tanh" or "Asinh" or "Acosh"
            or "Atanh" or "Erf" or "Sigmoid" or "Softplus" or "Softsign" or "Elu" or "Selu" or "Celu" or "Pow" or "QLinearSigmoid"
            or "QLinearLeakyRelu" => Transcendental * node.OutputElements(0),
        "Gelu" or "FastGelu" or "QuickGelu" or "BiasGelu" or "Mish" or "Swish" => (Transcendental + 4) * node.OutputElements(0),
        "Softmax" or "LogSoftmax" or "QLinearSoftmax" or "Hardmax" => (Transcendental + 4) * node.OutputElements(0),
        "LayerNormalization" or "SimplifiedLayerNormalization" or "InstanceNormalization" or "GroupNormalization" or "RMSNormalization"
            or "MeanVarianceNormalization" or "LpNormalization" or "GroupNorm" => 8 * node.OutputElements(0),
        "SkipLayerNormalization" or "SkipSimplifiedLayerNormalization" or "EmbedLayerNormalization" or "SkipGroupNorm" => 10 * node.OutputElements(0),
        "RotaryEmbedding" => 3 * node.OutputElements(0),
        "Sum" or "Mean" or "Max" or "Min" => Math.Max(node.InputCount - 1, 1) * node.OutputElements(0),
        "MaxPool" or "AveragePool" or "LpPool" or "QLinearAveragePool" or "NhwcMaxPool" => node.AttributeProduct("kernel_shape") * node.OutputElements(0),
        "ReduceSum" or "ReduceMean" or "ReduceMax" or "ReduceMin" or "ReduceProd" or "GlobalAveragePool" or "GlobalMaxPool"
            or "QLinearGlobalAveragePool" or "QLinearReduceMean" or "ArgMax" or "ArgMin" or "CumSum" => node.InputElements(0),
        "ReduceSumSquare" or "ReduceL1" or "ReduceL2" => 2 * node.InputElements(0),
        "ReduceLogSum" or "ReduceLogSumExp" => (Transcendental + 1) * node.InputElements(0),
        "LRN" => (2 * node.Attribute("size", 5) + Transcendental) * node.OutputElements(0),
        "Resize" or "Upsample" or "QLinearResize" => (node.AttributeText("mode") switch { "cubic" => 40, "linear" or "bilinear" => 8, _ => 1 }) * node.OutputElements(0),
        "GridSample" or "RoiAlign" or "MaxRoiPool" or "DeformConv" => 10 * node.OutputElements(0),
        "TopK" or "Unique" or "NonMaxSuppression" => node.InputElements(0) * Math.Log2(Math.Max(node.InputElements(0), 2)),
        "DFT" or "STFT" => 5 * node.LargestElements * Math.Log2(Math.Max(node.LargestElements, 2)),
        _ => 0,
    };
}
