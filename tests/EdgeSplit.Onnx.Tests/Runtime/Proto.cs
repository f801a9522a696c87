using System.Runtime.InteropServices;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Tensors;
using Google.Protobuf;

namespace EdgeSplit.Onnx.Tests.Runtime;

/// <summary>Short ways to write small models.</summary>
internal static class Proto
{
    public static ModelProto Model(IEnumerable<NodeProto> nodes, IEnumerable<ValueInfoProto> inputs, IEnumerable<ValueInfoProto> outputs, params TensorProto[] weights)
    {
        var model = new ModelProto { IrVersion = 10, Graph = new GraphProto { Name = "test" } };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = 21 });
        model.Graph.Node.AddRange(nodes);
        model.Graph.Input.AddRange(inputs);
        model.Graph.Output.AddRange(outputs);
        model.Graph.Initializer.AddRange(weights);
        return model;
    }

    public static NodeProto Node(string operatorType, string[] inputs, string[] outputs, params AttributeProto[] attributes)
    {
        var node = new NodeProto { OpType = operatorType, Name = "node_" + outputs[0] };
        node.Input.AddRange(inputs);
        node.Output.AddRange(outputs);
        node.Attribute.AddRange(attributes);
        return node;
    }

    public static AttributeProto Ints(string name, params long[] values)
    {
        var attribute = new AttributeProto { Name = name, Type = AttributeProto.Types.AttributeType.Ints };
        attribute.Ints.AddRange(values);
        return attribute;
    }

    public static AttributeProto Int(string name, long value) => new() { Name = name, Type = AttributeProto.Types.AttributeType.Int, I = value };

    public static AttributeProto Text(string name, string value) =>
        new() { Name = name, Type = AttributeProto.Types.AttributeType.String, S = ByteString.CopyFromUtf8(value) };

    public static AttributeProto Body(string name, GraphProto value) => new() { Name = name, Type = AttributeProto.Types.AttributeType.Graph, G = value };

    /// <summary>A tensor input or output; each dimension is a number, a symbol, or empty for neither.</summary>
    public static ValueInfoProto Value(string name, TensorElementType type, params string[] dimensions)
    {
        var shape = new TensorShapeProto();
        foreach (string dimension in dimensions)
        {
            var item = new TensorShapeProto.Types.Dimension();
            if (long.TryParse(dimension, out long size))
                item.DimValue = size;
            else if (dimension.Length > 0)
                item.DimParam = dimension;
            shape.Dim.Add(item);
        }
        return new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)type, Shape = shape } } };
    }

    public static TensorProto Weight<T>(string name, TensorElementType type, long[] dimensions, params T[] elements)
        where T : unmanaged
    {
        var tensor = new TensorProto { Name = name, DataType = (int)type, RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes<T>(elements)) };
        tensor.Dims.AddRange(dimensions);
        return tensor;
    }

    /// <summary>A weight of seeded floats in -0.5..0.5.</summary>
    public static TensorProto RandomWeight(string name, int seed, params long[] dimensions)
    {
        var random = new Random(seed);
        float[] elements = [.. Enumerable.Range(0, (int)new TensorShape(dimensions).ElementCount).Select(_ => random.NextSingle() - 0.5f)];
        return Weight(name, TensorElementType.Float, dimensions, elements);
    }
}
