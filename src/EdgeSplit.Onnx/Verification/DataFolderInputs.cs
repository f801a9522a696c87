using System.Globalization;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Onnx.Reading;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;

namespace EdgeSplit.Onnx.Verification;

/// <summary>Reads the inputs of a model from files as ONNX's own tests have them: one tensor, sequence or optional each, in the order of the inputs.</summary>
internal static class DataFolderInputs
{
    private const int MaxDepth = 16;

    /// <summary>The input values by name; those of inputs that have no file are missing.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NotFound"/> or <see cref="EdgeSplitError.InvalidInput"/>.</exception>
    public static Dictionary<string, OrtValue> Read(string folder, IReadOnlyList<string> names, IReadOnlyDictionary<string, NodeMetadata> inputs)
    {
        var values = new Dictionary<string, OrtValue>(StringComparer.Ordinal);
        for (int i = 0; i < names.Count; i++)
        {
            string path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"input_{i}.pb"));
            if (!File.Exists(path))
                continue;
            try
            {
                if (Read(File.ReadAllBytes(path), inputs[names[i]], path, 0) is { } value)
                    values.Add(names[i], value);
            }
            catch (InvalidProtocolBufferException exception)
            {
                throw new EdgeSplitException(EdgeSplitError.InvalidInput, $"'{path}' is no {inputs[names[i]].OnnxValueType} of input '{names[i]}': {exception.Message}", exception);
            }
        }
        return values.Count > 0 || names.Count == 0
            ? values
            : throw new EdgeSplitException(EdgeSplitError.NotFound, $"There is no input_0.pb in '{folder}'.");
    }

    private static OrtValue? Read(ReadOnlyMemory<byte> content, NodeMetadata metadata, string path, int depth)
    {
        if (depth > MaxDepth)
            throw new EdgeSplitException(EdgeSplitError.InvalidInput, $"'{path}' has sequences nested deeper than {MaxDepth}.");
        switch (metadata.OnnxValueType)
        {
            // SequenceProto: tensor_values = 3, sequence_values = 5.
            case OnnxValueType.ONNX_TYPE_SEQUENCE:
                NodeMetadata element = metadata.AsSequenceMetadata().ElementMeta;
                return OrtValue.CreateSequence([.. Fields(content, 3, 5).Select(field => Read(field, element, path, depth + 1)!)]);
            // OptionalProto: tensor_value = 3, sequence_value = 5; without either it is empty.
            case OnnxValueType.ONNX_TYPE_OPTIONAL:
                foreach (ReadOnlyMemory<byte> field in Fields(content, 3, 5))
                    return Read(field, metadata.AsOptionalMetadata().ElementMeta, path, depth + 1);
                return null;
            default:
                return OrtValues.Create(TensorProto.Parser.ParseFrom(content.Span), path);
        }
    }

    private static IEnumerable<ReadOnlyMemory<byte>> Fields(ReadOnlyMemory<byte> message, params int[] numbers)
    {
        for (int position = 0; position < message.Length;)
        {
            WireField field = WireField.Read(message.Span, position);
            if (numbers.Contains(field.Number) && field.WireType == WireSchema.LengthType)
                yield return message[field.ContentStart..field.End];
            position = field.End;
        }
    }
}
