using System.Globalization;
using System.Runtime.InteropServices;
using EdgeSplit.Onnx.Graphs;
using Microsoft.ML.OnnxRuntime;
using OrtElementType = Microsoft.ML.OnnxRuntime.Tensors.TensorElementType;

namespace EdgeSplit.Onnx.Verification;

/// <summary>
/// Makes seeded inputs for a model from what it declares. What a model accepts beyond types and shapes (ids below a table's
/// length, sizes that fit each other) it does not declare, so there are several attempts from usual to timid.
/// </summary>
internal sealed class RandomInputs(int seed, IReadOnlyDictionary<string, long> freeDimensions)
{
    private const int SequenceLength = 3;

    /// <summary>For each attempt: the size of open dimensions other than the first, of open image sides, and the range of whole numbers.</summary>
    private static readonly (long Size, long ImageSide, long Least, long Bound)[] Attempts =
    [
        (8, 64, 0, 6), (8, 64, 1, 4), (8, 64, 0, 1), (8, 8, 0, 2), (512, 224, 0, 2), (1, 224, 0, 2), (4, 32, 0, 3),
        (16, 256, 0, 2), (1, 1, 0, 1), (2, 2, 1, 3), (1, 1, 1, 2), (4, 64, 4, 5), (4, 64, 8, 9), (512, 64, 256, 257),
    ];

    public static int AttemptCount => Attempts.Length;

    /// <summary>Makes a value for each input.</summary>
    public Dictionary<string, OrtValue> Create(IReadOnlyDictionary<string, NodeMetadata> inputs, int attempt)
    {
        var random = new Random(seed);
        var values = new Dictionary<string, OrtValue>(StringComparer.Ordinal);
        foreach ((string name, NodeMetadata metadata) in inputs)
            values.Add(name, Create(metadata, attempt, random));
        return values;
    }

    private OrtValue Create(NodeMetadata metadata, int attempt, Random random)
    {
        switch (metadata.OnnxValueType)
        {
            case OnnxValueType.ONNX_TYPE_SEQUENCE:
                NodeMetadata element = metadata.AsSequenceMetadata().ElementMeta;
                return OrtValue.CreateSequence([.. Enumerable.Range(0, SequenceLength).Select(_ => Create(element, attempt, random))]);
            case OnnxValueType.ONNX_TYPE_OPTIONAL:
                return Create(metadata.AsOptionalMetadata().ElementMeta, attempt, random);
            case OnnxValueType.ONNX_TYPE_TENSOR:
                return CreateTensor(metadata, attempt, random);
            default:
                throw new EdgeSplitException(EdgeSplitError.UnsupportedModel, $"Random inputs of kind {metadata.OnnxValueType} are not supported; give the model's inputs as files.");
        }
    }

    private OrtValue CreateTensor(NodeMetadata metadata, int attempt, Random random)
    {
        (long size, long imageSide, long least, long bound) = Attempts[attempt];
        int rank = metadata.Dimensions.Length;
        long[] dimensions = [.. metadata.Dimensions.Select((known, axis) =>
        {
            string symbol = metadata.SymbolicDimensions[axis];
            if (known >= 0)
                return known;
            return freeDimensions.TryGetValue(symbol, out long given) ? given : SymbolSums.Evaluate(symbol, SizeOf);

            long SizeOf(string term)
            {
                if (freeDimensions.TryGetValue(term, out long given))
                    return given;
                if (axis == 0 || term.Contains("batch", StringComparison.OrdinalIgnoreCase))
                    return 1;
                return rank == 4 && axis >= 2 && !SymbolSums.IsSequenceLength(term) ? imageSide : size;
            }
        })];
        long count = dimensions.Aggregate(1L, static (product, dimension) => checked(product * dimension));
        if (metadata.ElementDataType == OrtElementType.String)
            return OrtValues.Create(dimensions, [.. Enumerable.Range(0, (int)count).Select(_ => random.Next(100).ToString(CultureInfo.InvariantCulture))]);
        OrtValue value = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, metadata.ElementDataType, dimensions);
        if (count > 0)
            Fill(value.GetTensorMutableRawData(), metadata.ElementDataType, least, bound, random);
        return value;
    }

    private static void Fill(Span<byte> raw, OrtElementType type, long least, long bound, Random random)
    {
        switch (type)
        {
            case OrtElementType.Float:
                foreach (ref float element in MemoryMarshal.Cast<byte, float>(raw))
                    element = (float)(random.NextDouble() * 2 - 1);
                break;
            case OrtElementType.Double:
                foreach (ref double element in MemoryMarshal.Cast<byte, double>(raw))
                    element = random.NextDouble() * 2 - 1;
                break;
            case OrtElementType.Float16:
                foreach (ref Half element in MemoryMarshal.Cast<byte, Half>(raw))
                    element = (Half)(random.NextDouble() * 2 - 1);
                break;
            case OrtElementType.BFloat16:
                foreach (ref ushort element in MemoryMarshal.Cast<byte, ushort>(raw))
                    element = (ushort)(BitConverter.SingleToUInt32Bits((float)(random.NextDouble() * 2 - 1)) >> 16);
                break;
            case OrtElementType.Int64 or OrtElementType.UInt64:
                foreach (ref long element in MemoryMarshal.Cast<byte, long>(raw))
                    element = random.NextInt64(least, bound);
                break;
            case OrtElementType.Int32 or OrtElementType.UInt32:
                foreach (ref int element in MemoryMarshal.Cast<byte, int>(raw))
                    element = (int)random.NextInt64(least, bound);
                break;
            case OrtElementType.Int16 or OrtElementType.UInt16:
                foreach (ref short element in MemoryMarshal.Cast<byte, short>(raw))
                    element = (short)random.NextInt64(least, bound);
                break;
            case OrtElementType.Bool:
                foreach (ref byte element in raw)
                    element = (byte)random.Next(2);
                break;
            default:
                random.NextBytes(raw);
                break;
        }
    }
}
