using System.Runtime.InteropServices;
using EdgeSplit.Onnx.Format;
using Google.Protobuf;

namespace EdgeSplit.Onnx.Tests.Splitting;

/// <summary>
/// Gives models whose weights are ConstantOfShape nodes weights that differ from each other: each node becomes a seeded
/// vector that is repeated, cut to length and reshaped.
/// </summary>
internal static class LightModels
{
    private const int Period = 4099;

    public static void Write(string source, string destination)
    {
        ModelProto model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(source));
        Dictionary<string, TensorProto> initializers = model.Graph.Initializer.ToDictionary(static tensor => tensor.Name);
        var random = new Random(1);
        for (int i = 0; i < model.Graph.Node.Count; i++)
        {
            NodeProto node = model.Graph.Node[i];
            if (node.OpType != "ConstantOfShape" || !initializers.TryGetValue(node.Input[0], out TensorProto? shape))
                continue;
            long[] dimensions = shape.HasRawData ? MemoryMarshal.Cast<byte, long>(shape.RawData.Span).ToArray() : [.. shape.Int64Data];
            string name = node.Output[0];
            model.Graph.Node.RemoveAt(i);
            model.Graph.Node.Insert(i, Node("Reshape", [$"{name}/cut", node.Input[0]], name));
            model.Graph.Node.Insert(i, CutTo(dimensions.Aggregate(1L, static (product, size) => product * size), name));
            model.Graph.Node.Insert(i, Node("Tile", [$"{name}/seeded", $"{name}/repeats"], $"{name}/tiled"));
            AddInitializer(model.Graph, Seeded(name, dimensions, random));
            AddInitializer(model.Graph, Repeats(name, dimensions));
            i += 2;
        }
        File.WriteAllBytes(destination, model.ToByteArray());
    }

    private static NodeProto CutTo(long count, string name)
    {
        NodeProto slice = Node("Slice", [$"{name}/tiled"], $"{name}/cut");
        slice.Attribute.Add(new AttributeProto { Name = "starts", Type = AttributeProto.Types.AttributeType.Ints, Ints = { 0 } });
        slice.Attribute.Add(new AttributeProto { Name = "ends", Type = AttributeProto.Types.AttributeType.Ints, Ints = { count } });
        slice.Attribute.Add(new AttributeProto { Name = "axes", Type = AttributeProto.Types.AttributeType.Ints, Ints = { 0 } });
        return slice;
    }

    private static TensorProto Repeats(string name, long[] dimensions)
    {
        long count = dimensions.Aggregate(1L, static (product, size) => product * size);
        return new TensorProto { Name = $"{name}/repeats", DataType = 7, Dims = { 1 }, Int64Data = { (count + Period - 1) / Period } };
    }

    private static TensorProto Seeded(string name, long[] dimensions, Random random)
    {
        // Variances must be positive; wider tensors are scaled so that activations neither vanish nor explode.
        long fanIn = dimensions.Skip(1).Aggregate(1L, static (product, size) => product * size);
        float[] values = [.. Enumerable.Range(0, Period).Select(_ => dimensions.Length < 2
            ? (float)(0.5 + random.NextDouble())
            : (float)((random.NextDouble() * 2 - 1) * Math.Sqrt(6.0 / fanIn)))];
        return new TensorProto { Name = $"{name}/seeded", DataType = 1, Dims = { Period }, RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes(values.AsSpan())) };
    }

    private static void AddInitializer(GraphProto graph, TensorProto tensor)
    {
        graph.Initializer.Add(tensor);
        var shape = new TensorShapeProto();
        shape.Dim.AddRange(tensor.Dims.Select(static size => new TensorShapeProto.Types.Dimension { DimValue = size }));
        graph.Input.Add(new ValueInfoProto
        {
            Name = tensor.Name,
            Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = tensor.DataType, Shape = shape } },
        });
    }

    private static NodeProto Node(string operatorType, string[] inputs, string output) =>
        new() { OpType = operatorType, Input = { inputs }, Output = { output } };
}
