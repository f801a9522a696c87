using System.Runtime.InteropServices;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Tensors;
using Google.Protobuf;

namespace EdgeSplit.ModelZoo.Graphs;

/// <summary>Constants as nodes, and arithmetic on shapes, as exporters leave them in models with dynamic dimensions.</summary>
internal sealed partial class OnnxGraphBuilder
{
    /// <summary>A one-dimensional int64 constant.</summary>
    public Value Constant(string module, params ReadOnlySpan<long> values) => Constant(module, TensorElementType.Int64, values, [values.Length]);

    /// <summary>An int64 constant without dimensions.</summary>
    public Value Scalar(string module, long value) => Constant<long>(module, TensorElementType.Int64, [value], []);

    /// <summary>A float constant without dimensions.</summary>
    public Value Scalar(string module, float value) => Constant<float>(module, TensorElementType.Float, [value], []);

    /// <summary>The size of one axis at run time, without dimensions.</summary>
    public Value Size(Value x, int axis, string module) =>
        Node("Gather", module, 0, [Node("Shape", module, 0, [x]), Scalar(module, axis)], Attributes.Int("axis", 0));

    /// <summary>A shape put together from sizes without dimensions and from fixed sizes.</summary>
    public Value Shape(string module, params ReadOnlySpan<ShapePart> parts)
    {
        var vectors = new Value[parts.Length];
        for (int i = 0; i < parts.Length; i++)
            vectors[i] = parts[i].Size is { } size ? Unsqueeze(size, module, 0) : Constant(module, parts[i].Fixed);
        return Concat(vectors, module, axis: 0);
    }

    public Value Reshape(Value x, string module, Value shape, int width) => Node("Reshape", module, width, [x, shape]);

    public Value Unsqueeze(Value x, string module, params ReadOnlySpan<long> axes) => Node("Unsqueeze", module, x.Width, [x, Constant(module, axes)]);

    public Value Transpose(Value x, string module, int width, params ReadOnlySpan<long> order) =>
        Node("Transpose", module, width, [x], Attributes.Ints("perm", order));

    public Value Cast(Value x, string module, TensorElementType to) => Node("Cast", module, x.Width, [x], Attributes.Int("to", (long)to));

    private Value Constant<T>(string module, TensorElementType elementType, ReadOnlySpan<T> values, ReadOnlySpan<long> dimensions)
        where T : unmanaged
    {
        var tensor = new TensorProto { DataType = (int)elementType, RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes(values)) };
        tensor.Dims.AddRange(dimensions.ToArray());
        return Node("Constant", module, 0, [], Attributes.Tensor("value", tensor));
    }
}
