using System.Collections.Frozen;
using EdgeSplit.Onnx.Format;

namespace EdgeSplit.Onnx.Graphs;

/// <summary>Says which nodes give the same result wherever and however often they run, so that parts may each have a copy.</summary>
internal static class Repeatability
{
    private static readonly FrozenSet<string> RandomOperators = FrozenSet.ToFrozenSet(
    [
        "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli",
    ], StringComparer.Ordinal);

    private static readonly FrozenSet<string> MicrosoftOperators = FrozenSet.ToFrozenSet(
    [
        "DequantizeLinear", "QuantizeLinear", "Gelu", "FastGelu", "QuickGelu", "Inverse", "ExpandDims", "Range", "Pad", "Unique",
    ], StringComparer.Ordinal);

    // What draws random numbers besides, in Microsoft's domain.
    private static readonly FrozenSet<string> MicrosoftRandomOperators = FrozenSet.ToFrozenSet(["Sampling", "BiasDropout", "BitmaskDropout", "BitmaskBiasDropout"], StringComparer.Ordinal);

    /// <summary>
    /// Whether a run of a model leaves the next ones as they would have been: no operator in it draws random numbers or is of an
    /// unknown domain, and so may keep a state.
    /// </summary>
    public static bool LeavesNoTrace(ModelProto model) =>
        model.Graph.Node.Concat(model.Functions.SelectMany(static function => function.Node)).All(node => LeavesNoTrace(node, model));

    private static bool LeavesNoTrace(NodeProto node, ModelProto model)
    {
        bool isKnown = OperatorDomains.Normalize(node.Domain) switch
        {
            OperatorDomains.Onnx => IsKnownOperator(node),
            OperatorDomains.MachineLearning => true,
            OperatorDomains.Microsoft => !RandomOperators.Contains(node.OpType) && !MicrosoftRandomOperators.Contains(node.OpType),
            _ => model.Functions.Any(function => function.Name == node.OpType && OperatorDomains.Normalize(function.Domain) == OperatorDomains.Normalize(node.Domain)),
        };
        return isKnown && Captures.Bodies(node).All(body => body.Node.All(inner => LeavesNoTrace(inner, model)));
    }

    /// <summary>
    /// Whether a node, its bodies and the functions that it calls are made of operators known to be deterministic.
    /// Operators of unknown domains are not: nobody can tell.
    /// </summary>
    public static bool IsRepeatable(NodeProto node, FunctionTable functions)
    {
        var called = functions.ReachableFrom([node]);
        return IsRepeatable(node, functions, called.Count > 0)
            && called.All(function => function.Node.All(inner => IsRepeatable(inner, functions, true)));
    }

    private static bool IsRepeatable(NodeProto node, FunctionTable functions, bool mayCall) =>
        ((mayCall && functions.CalledBy(node) is not null) || IsKnownOperator(node))
            && Captures.Bodies(node).All(body => body.Node.All(inner => IsRepeatable(inner, functions, mayCall)));

    private static bool IsKnownOperator(NodeProto node) => OperatorDomains.Normalize(node.Domain) switch
    {
        // From operator set 12 on, the third input of Dropout switches training on; before 7 an attribute does.
        OperatorDomains.Onnx => !RandomOperators.Contains(node.OpType)
            && !(node.OpType == "Dropout" && (node.Input.Count > 2 || node.Attribute.Any(static attribute => attribute.Name == "is_test"))),
        OperatorDomains.MachineLearning => true,
        OperatorDomains.Microsoft => MicrosoftOperators.Contains(node.OpType),
        _ => false,
    };
}
