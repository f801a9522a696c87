using EdgeSplit.Onnx.Format;
using EdgeSplit.Tensors;

namespace EdgeSplit.Onnx.Analysis;

/// <summary>
/// Estimates arithmetic and memory traffic of a node from the shapes of its values: the input of a roofline estimate
/// (Williams, Waterman, Patterson, "Roofline", CACM 52(4), 2009). Matrix and convolution operators count their
/// multiply-adds; every other operator a few operations for each element, see <see cref="ElementCosts"/>.
/// </summary>
/// <remarks>
/// A dimension that is not known counts as 1, an unknown shape as empty. Control flow counts each body once, whatever the
/// number of iterations, and an If the dearer of its branches. A fused operator counts as the operators it stands for.
/// </remarks>
internal static class NodeCosts
{
    /// <summary>Estimates one node.</summary>
    /// <param name="node">The node.</param>
    /// <param name="info">Gives type and shape of a value by name, null where nothing is known.</param>
    /// <param name="isWeight">Whether a value is a constant, whose bytes are no activation traffic; null where none is.</param>
    public static NodeCost Estimate(NodeProto node, Func<string, TensorInfo?> info, Func<string, bool>? isWeight = null)
    {
        var values = new NodeValues(node, info);
        double operations = MatrixCosts.Of(values) ?? ElementCosts.Of(values);
        double bodyOperations = 0;
        long traffic = MovesNothing(node.OpType) ? 0 : Traffic(node, info, isWeight);
        foreach (AttributeProto attribute in node.Attribute)
        {
            foreach (GraphProto body in attribute.G is null ? attribute.Graphs : [attribute.G])
            {
                NodeCost cost = OfBody(body, info, isWeight);
                bodyOperations = node.OpType == "If" ? Math.Max(bodyOperations, cost.FloatOperations) : bodyOperations + cost.FloatOperations;
                traffic += cost.TrafficBytes;
            }
        }
        return new NodeCost(operations + bodyOperations, traffic);
    }

    private static NodeCost OfBody(GraphProto body, Func<string, TensorInfo?> outer, Func<string, bool>? isWeight)
    {
        // Shapes inside bodies are only known where the model declares them.
        Dictionary<string, TensorInfo> own = DeclaredTypes.Of(body, new Dictionary<string, long>());
        HashSet<string> constants = [.. body.Initializer.Select(static weight => weight.Name)];
        var sum = default(NodeCost);
        foreach (NodeProto node in body.Node)
        {
            NodeCost cost = Estimate(
                node,
                name => own.GetValueOrDefault(name) ?? outer(name),
                name => constants.Contains(name) || (!own.ContainsKey(name) && isWeight?.Invoke(name) == true));
            sum = new NodeCost(sum.FloatOperations + cost.FloatOperations, sum.TrafficBytes + cost.TrafficBytes);
        }
        return sum;
    }

    private static long Traffic(NodeProto node, Func<string, TensorInfo?> info, Func<string, bool>? isWeight)
    {
        long bytes = 0;
        foreach (string name in node.Input)
        {
            if (name.Length > 0 && isWeight?.Invoke(name) != true)
                bytes += NodeValues.ByteCount(info(name));
        }
        // A gather touches as much of its table as it copies out, not the whole table.
        long written = node.Output.Where(static name => name.Length > 0).Sum(name => NodeValues.ByteCount(info(name)));
        return node.OpType is "Gather" or "GatherND" or "GatherElements" or "Slice" ? 2 * written : bytes + written;
    }

    /// <summary>Operators that only rename a buffer or are folded away when a model is loaded.</summary>
    private static bool MovesNothing(string operatorType) => operatorType is
        "Constant" or "Identity" or "Reshape" or "Flatten" or "Squeeze" or "Unsqueeze" or "Shape" or "Size" or "Dropout";
}
