using EdgeSplit.Onnx.Format;

namespace EdgeSplit.Onnx.Graphs;

/// <summary>The model's local functions, by domain, name and overload.</summary>
internal sealed class FunctionTable
{
    private readonly Dictionary<(string Domain, string Name, string Overload), FunctionProto> _functions = [];

    public FunctionTable(IEnumerable<FunctionProto> functions)
    {
        foreach (FunctionProto function in functions)
            _functions[(OperatorDomains.Normalize(function.Domain), function.Name, function.Overload)] = function;
    }

    /// <summary>The function that a node calls, or null where it uses an operator.</summary>
    public FunctionProto? CalledBy(NodeProto node) =>
        _functions.GetValueOrDefault((OperatorDomains.Normalize(node.Domain), node.OpType, node.Overload));

    /// <summary>All functions that some nodes call, also from bodies and from other functions.</summary>
    public IReadOnlySet<FunctionProto> ReachableFrom(IEnumerable<NodeProto> nodes)
    {
        var reached = new HashSet<FunctionProto>(ReferenceEqualityComparer.Instance);
        if (_functions.Count == 0)
            return reached;
        var pending = new Stack<NodeProto>(nodes);
        while (pending.TryPop(out NodeProto? node))
        {
            foreach (NodeProto inner in Captures.Bodies(node).SelectMany(static body => body.Node))
                pending.Push(inner);
            if (CalledBy(node) is { } function && reached.Add(function))
            {
                foreach (NodeProto inner in function.Node)
                    pending.Push(inner);
            }
        }
        return reached;
    }
}
