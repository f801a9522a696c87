using EdgeSplit.Onnx.Format;
using EdgeSplit.Onnx.Reading;
using EdgeSplit.Tensors;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;

namespace EdgeSplit.Onnx.Graphs;

/// <summary>Asks ONNX Runtime for the types and shapes of a model's values.</summary>
internal static class TypeProbe
{
    /// <summary>
    /// Loads the model with its large weights as inputs, which costs no memory, and reads the types of its values.
    /// </summary>
    /// <returns>The types by value; empty where ONNX Runtime rejects the model.</returns>
    public static IReadOnlyDictionary<string, TensorInfo> Run(OnnxGraph graph, string modelFolder, RepresentativeSizes? sizes)
    {
        ModelProto model = graph.Model.Clone();
        var declared = model.Graph.Input.Select(static input => input.Name).ToHashSet(StringComparer.Ordinal);
        foreach (TensorProto tensor in model.Graph.Initializer.Where(ExternalData.IsExternal).ToList())
        {
            model.Graph.Initializer.Remove(tensor);
            if (declared.Add(tensor.Name))
                model.Graph.Input.Add(TypeProtos.FromInfo(new TensorInfo(tensor.Name, (TensorElementType)tensor.DataType, [.. tensor.Dims.Select(static size => new Dimension(size))])));
        }
        if (sizes is not null)
        {
            foreach (ValueInfoProto input in model.Graph.Input)
                sizes.Fix(input);
            model.Graph.ValueInfo.Clear();
        }
        var outputs = model.Graph.Output.Select(static output => output.Name).ToHashSet(StringComparer.Ordinal);
        foreach (GraphNode node in graph.Nodes)
        {
            foreach (string output in node.Outputs)
            {
                if (outputs.Add(output))
                    model.Graph.Output.Add(new ValueInfoProto { Name = output });
            }
        }
        var types = new Dictionary<string, TensorInfo>(StringComparer.Ordinal);
        try
        {
            using var options = new SessionOptions
            {
                GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_BASIC,
                IntraOpNumThreads = 1,
                LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
            };
            options.AddSessionConfigEntry("session.disable_prepacking", "1");
            options.AddSessionConfigEntry("session.model_external_initializers_file_folder_path", modelFolder);
            using var session = new InferenceSession(model.ToByteArray(), options);
            foreach ((string name, NodeMetadata metadata) in session.OutputMetadata)
            {
                if (metadata.OnnxValueType == OnnxValueType.ONNX_TYPE_TENSOR)
                    types[name] = ToInfo(name, metadata);
            }
        }
        catch (OnnxRuntimeException)
        {
            return types;
        }
        return types;
    }

    private static TensorInfo ToInfo(string name, NodeMetadata metadata)
    {
        var type = (TensorElementType)metadata.ElementDataType;
        // The metadata of a scalar and of a tensor of unknown rank are the same: claim neither.
        return new TensorInfo(name, type, metadata.Dimensions.Length == 0 ? default :
            [.. metadata.Dimensions.Select((size, axis) => size >= 0 ? new Dimension(size) : new Dimension(null, Symbol(metadata.SymbolicDimensions[axis])))]);
    }

    private static string? Symbol(string name) => name.Length == 0 || name.StartsWith("unk__", StringComparison.Ordinal) ? null : name;
}
