using EdgeSplit.Onnx.Format;
using EdgeSplit.Tensors;

namespace EdgeSplit.Onnx.Analysis;

/// <summary>Rewrites a model so that loading it tells the types of all its values.</summary>
internal static class ShapeModel
{
    /// <summary>
    /// Constants up to this many elements keep their value, since shapes may depend on it (targets of Reshape, sizes of Resize);
    /// larger ones become inputs of the same type, so that ONNX Runtime neither reads nor folds them.
    /// </summary>
    private const long KeptElements = 1024;

    /// <summary>A copy of a model in which every value is an output and, unless they are kept, large weights are inputs.</summary>
    public static ModelProto Build(ModelProto source, bool keepWeights)
    {
        ModelProto model = source.Clone();
        GraphProto graph = model.Graph;
        // Nothing else is known of a damaged model's names, so each value is declared once, whoever makes it.
        var inputs = graph.Input.Select(static input => input.Name).ToHashSet();
        if (!keepWeights)
            TurnWeightsIntoInputs(graph, inputs);

        var outputs = graph.Output.Select(static output => output.Name).ToHashSet();
        foreach (NodeProto node in graph.Node)
        {
            foreach (string name in node.Output)
            {
                if (name.Length > 0 && outputs.Add(name))
                    graph.Output.Add(new ValueInfoProto { Name = name });
            }
        }
        return model;
    }

    private static void TurnWeightsIntoInputs(GraphProto graph, HashSet<string> inputs)
    {
        for (int i = graph.Initializer.Count - 1; i >= 0; i--)
        {
            TensorProto weight = graph.Initializer[i];
            if (!IsLarge(weight.Dims))
                continue;
            graph.Initializer.RemoveAt(i);
            Declare(graph, inputs, weight.Name, weight.DataType, weight.Dims);
        }

        Dictionary<string, TensorProto> constants = graph.Initializer.DistinctBy(static weight => weight.Name).ToDictionary(static weight => weight.Name);
        for (int i = graph.Node.Count - 1; i >= 0; i--)
        {
            NodeProto node = graph.Node[i];
            if (node.Domain is not ("" or "ai.onnx") || node.Output.Count != 1)
                continue;
            if (node.OpType == "Constant" && node.Attribute.FirstOrDefault(static attribute => attribute.Name == "value")?.T is { } value && IsLarge(value.Dims))
            {
                graph.Node.RemoveAt(i);
                Declare(graph, inputs, node.Output[0], value.DataType, value.Dims);
            }
            else if (node.OpType == "ConstantOfShape" && node.Input.Count == 1
                && constants.TryGetValue(node.Input[0], out TensorProto? shape) && ConstantReader.TryReadInt64(shape, out long[] dimensions) && IsLarge(dimensions))
            {
                graph.Node.RemoveAt(i);
                int type = node.Attribute.FirstOrDefault(static attribute => attribute.Name == "value")?.T?.DataType ?? (int)TensorElementType.Float;
                Declare(graph, inputs, node.Output[0], type, dimensions);
            }
        }
    }

    private static bool IsLarge(IEnumerable<long> dimensions)
    {
        long count = 1;
        foreach (long dimension in dimensions)
        {
            if (dimension <= 0)
                return false;
            count = Math.Min(count, KeptElements) * Math.Min(dimension, KeptElements + 1);
        }
        return count > KeptElements;
    }

    private static void Declare(GraphProto graph, HashSet<string> inputs, string name, int elementType, IEnumerable<long> dimensions)
    {
        if (!inputs.Add(name))
            return;
        var shape = new TensorShapeProto();
        shape.Dim.AddRange(dimensions.Select(static size => new TensorShapeProto.Types.Dimension { DimValue = size }));
        graph.Input.Add(new ValueInfoProto
        {
            Name = name,
            Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = elementType, Shape = shape } },
        });
    }
}
