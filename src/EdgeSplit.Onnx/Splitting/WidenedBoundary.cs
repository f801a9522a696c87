using EdgeSplit.Onnx.Format;
using EdgeSplit.Onnx.Graphs;
using EdgeSplit.Tensors;

namespace EdgeSplit.Onnx.Splitting;

/// <summary>
/// Puts casts at the cuts of a part for values that cross as 32-bit floats (see <see cref="HalfPrecision"/>). Inside the part
/// such a value has another name, since the boundary keeps the model's.
/// </summary>
internal sealed class WidenedBoundary
{
    /// <summary>ONNX Runtime removes pairs of casts of which the narrowing one has this prefix: it puts in such casts itself.</summary>
    private const string CastNamePrefix = "InsertedPrecisionFreeCast_";
    private const string InnerSuffix = "/edgesplit_fp16";

    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);
    private readonly List<NodeProto> _widening = [];
    private readonly List<NodeProto> _narrowing = [];

    public WidenedBoundary(HalfPrecision halfPrecision, IEnumerable<string> inputs, IEnumerable<string> outputs)
    {
        foreach (string input in inputs.Where(halfPrecision.IsWidened))
        {
            string inner = Inner(input);
            string narrowed = halfPrecision.MakerHasKernel(input) ? inner : inner + "/single";
            _narrowing.Add(Cast(input, narrowed, TensorElementType.Float16));
            if (narrowed != inner)
                _narrowing.Add(WithoutKernel(narrowed, inner));
        }
        foreach (string output in outputs.Where(halfPrecision.IsWidened))
        {
            string inner = Inner(output);
            string widened = halfPrecision.AnyReaderHasKernel(output) ? inner : inner + "/single";
            if (widened != inner)
                _widening.Add(WithoutKernel(inner, widened));
            _widening.Add(Cast(widened, output, TensorElementType.Float));
        }
    }

    /// <summary>Adds the part's nodes with the casts around them.</summary>
    public void AddNodes(GraphProto part, IEnumerable<GraphNode> nodes, Func<NodeProto, NodeProto> externalize)
    {
        part.Node.AddRange(_narrowing);
        foreach (GraphNode node in nodes)
            part.Node.Add(Renaming.Apply(externalize(node.Proto), _names, node.Inputs.Concat(node.Outputs)));
        part.Node.AddRange(_widening);
    }

    private string Inner(string value) => _names[value] = value + InnerSuffix;

    /// <summary>
    /// A node that changes nothing and has no half-precision kernel. ONNX Runtime looks at a node's neighbours to decide
    /// whether to run it in single precision, so the part must show it a neighbour like the one behind the cut.
    /// </summary>
    private static NodeProto WithoutKernel(string from, string to) => new() { OpType = "Sum", Name = to, Input = { from }, Output = { to } };

    private static NodeProto Cast(string from, string to, TensorElementType type)
    {
        var cast = new NodeProto { OpType = "Cast", Name = CastNamePrefix + to, Input = { from }, Output = { to } };
        cast.Attribute.Add(new AttributeProto { Name = "to", Type = AttributeProto.Types.AttributeType.Int, I = (long)type });
        return cast;
    }
}
