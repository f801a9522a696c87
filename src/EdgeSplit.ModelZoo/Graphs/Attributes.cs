using EdgeSplit.Onnx.Format;
using Google.Protobuf;
using Type = EdgeSplit.Onnx.Format.AttributeProto.Types.AttributeType;

namespace EdgeSplit.ModelZoo.Graphs;

/// <summary>Node attributes in one expression.</summary>
internal static class Attributes
{
    public static AttributeProto Int(string name, long value) => new() { Name = name, Type = Type.Int, I = value };

    public static AttributeProto Float(string name, float value) => new() { Name = name, Type = Type.Float, F = value };

    public static AttributeProto Text(string name, string value) => new() { Name = name, Type = Type.String, S = ByteString.CopyFromUtf8(value) };

    public static AttributeProto Ints(string name, params ReadOnlySpan<long> values)
    {
        var attribute = new AttributeProto { Name = name, Type = Type.Ints };
        attribute.Ints.AddRange(values.ToArray());
        return attribute;
    }

    public static AttributeProto Tensor(string name, TensorProto value) => new() { Name = name, Type = Type.Tensor, T = value };
}
