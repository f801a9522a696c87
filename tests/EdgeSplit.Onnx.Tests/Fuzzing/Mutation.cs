using EdgeSplit.Onnx.Format;
using Google.Protobuf;

namespace EdgeSplit.Onnx.Tests.Fuzzing;

/// <summary>Damages a model, half of the time in its bytes and half of the time in its graph, which stays well-formed protobuf.</summary>
internal static class Mutation
{
    public static byte[] Of(byte[] model, byte[] other, Random random)
    {
        if (random.Next(2) == 0 && TryParse(model) is { } parsed)
        {
            for (int i = random.Next(1, 4); i > 0; i--)
                Change(parsed, random);
            return parsed.ToByteArray();
        }
        byte[] bytes = [.. model];
        switch (random.Next(5))
        {
            case 0:
                return bytes[..random.Next(bytes.Length)];
            case 1:
                int start = random.Next(bytes.Length);
                return [.. bytes[..start], .. other[random.Next(other.Length)..], .. bytes[start..]];
            case 2:
                int from = random.Next(bytes.Length);
                return [.. bytes[..from], .. bytes[Math.Min(bytes.Length, from + random.Next(1, 64))..]];
            default:
                for (int i = random.Next(1, 16); i > 0; i--)
                    bytes[random.Next(bytes.Length)] = random.Next(3) == 0 ? (byte)random.Next(256) : (byte)(bytes[random.Next(bytes.Length)] ^ (1 << random.Next(8)));
                return bytes;
        }
    }

    private static void Change(ModelProto model, Random random)
    {
        GraphProto graph = model.Graph ??= new GraphProto();
        List<string> names = [.. graph.Node.SelectMany(static node => node.Output.Concat(node.Input)).DefaultIfEmpty("x")];
        switch (random.Next(8))
        {
            case 0 when graph.Node.Count > 0:
                graph.Node.RemoveAt(random.Next(graph.Node.Count));
                break;
            case 1 when graph.Node.Count > 0:
                NodeProto node = graph.Node[random.Next(graph.Node.Count)];
                if (node.Input.Count > 0)
                    node.Input[random.Next(node.Input.Count)] = names[random.Next(names.Count)];
                break;
            case 2 when graph.Node.Count > 0:
                NodeProto producer = graph.Node[random.Next(graph.Node.Count)];
                if (producer.Output.Count > 0)
                    producer.Output[random.Next(producer.Output.Count)] = names[random.Next(names.Count)];
                break;
            case 3 when graph.Initializer.Count > 0:
                TensorProto tensor = graph.Initializer[random.Next(graph.Initializer.Count)];
                tensor.Dims.Add(random.NextInt64());
                break;
            case 4 when graph.Initializer.Count > 0:
                graph.Initializer[random.Next(graph.Initializer.Count)].DataType = random.Next(-5, 40);
                break;
            case 5 when graph.Initializer.Count > 0:
                TensorProto moved = graph.Initializer[random.Next(graph.Initializer.Count)];
                moved.DataLocation = TensorProto.Types.DataLocation.External;
                moved.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = random.Next(2) == 0 ? "../outside" : "model.onnx" });
                moved.ExternalData.Add(new StringStringEntryProto { Key = "offset", Value = random.NextInt64().ToString() });
                break;
            case 6:
                graph.Output.Add(new ValueInfoProto { Name = names[random.Next(names.Count)] });
                break;
            case 7 when graph.Node.Count > 0:
                // A node that contains its own graph's first nodes as a body.
                var body = new GraphProto { Node = { graph.Node.Take(3).Select(static inner => inner.Clone()) } };
                graph.Node[random.Next(graph.Node.Count)].Attribute.Add(new AttributeProto { Name = "body", Type = AttributeProto.Types.AttributeType.Graph, G = body });
                break;
        }
    }

    private static ModelProto? TryParse(byte[] model)
    {
        try
        {
            return ModelProto.Parser.ParseFrom(model);
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }
}
