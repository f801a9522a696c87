using System.Buffers.Binary;
using EdgeSplit.Onnx.Graphs;
using EdgeSplit.Tensors;

namespace EdgeSplit.Onnx.Runtime;

/// <summary>Random inputs that models accept, the same for the same seed.</summary>
public static class RandomTensors
{
    /// <summary>Whole numbers without a better hint stay below this: within every vocabulary, and within most tables.</summary>
    private const int IdLimit = 10;

    /// <summary>Makes a tensor for each input.</summary>
    /// <param name="inputs">A model's inputs.</param>
    /// <param name="seed">Which tensors; an input's content depends on the seed, its name and its shape alone.</param>
    /// <param name="sizes">
    /// Sizes of symbolic dimensions by symbol; for others as in <see cref="OnnxModelOptions.FreeDimensions"/>: 1 for the first
    /// dimension and for a batch, 224 for the third and fourth of four, 128 otherwise, the same wherever a symbol stands again.
    /// </param>
    /// <returns>
    /// Tensors by name, the caller's to dispose of. Floats are uniform in 0..1 and bytes over their whole range; other whole
    /// numbers are 0..9, but 1 where the name says that it is a mask, 0 or 1 for token types and segments, and counting up for positions.
    /// </returns>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.UnsupportedModel"/>: an input is no tensor or of unknown rank.</exception>
    public static IReadOnlyDictionary<string, Tensor> ForInputs(IEnumerable<TensorInfo> inputs, int seed = 0, IReadOnlyDictionary<string, long>? sizes = null)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        var known = new Dictionary<string, long>(sizes ?? new Dictionary<string, long>());
        return inputs.ToDictionary(static input => input.Name, input => Create(input, seed, known));
    }

    /// <remarks>Adds to <paramref name="sizes"/> the symbols that it does not know yet: a symbol has one size in all inputs.</remarks>
    private static Tensor Create(TensorInfo input, int seed, Dictionary<string, long> sizes)
    {
        if (input.ElementType is TensorElementType.Undefined || input.Dimensions.IsDefault)
            throw new EdgeSplitException(EdgeSplitError.UnsupportedModel, $"No random value can be made for the input '{input.Name}' ({input}): only tensors of a known rank.");
        int rank = input.Dimensions.Length;
        var representative = new RepresentativeSizes(sizes);
        long[] dimensions = new long[rank];
        for (int axis = 0; axis < rank; axis++)
        {
            Dimension dimension = input.Dimensions[axis];
            dimensions[axis] = dimension.Size ?? representative.For(dimension.Symbol, axis, rank);
            if (dimension.Symbol is { } symbol)
                sizes.TryAdd(symbol, dimensions[axis]);
        }
        var shape = new TensorShape(dimensions);
        var random = new Random(seed ^ StableHash(input.Name));
        if (input.ElementType is TensorElementType.String)
            return Tensor.FromStrings(Enumerable.Range(0, checked((int)shape.ElementCount)).Select(_ => $"word{random.Next(IdLimit)}"), shape);

        Tensor tensor = Tensor.Allocate(input.ElementType, shape, out Memory<byte> destination);
        if (IsFilledByBytes(input.ElementType))
            FillBytes(destination.Span, input.ElementType, shape.ElementCount, random);
        else
            FillElements(destination.Span, input, shape, random);
        return tensor;
    }

    private static void FillElements(Span<byte> bytes, TensorInfo input, TensorShape shape, Random random)
    {
        int byteCount = input.ElementType.BitsPerElement() / 8;
        bool isComplex = input.ElementType is TensorElementType.Complex64 or TensorElementType.Complex128;
        int unit = isComplex ? byteCount / 2 : byteCount;
        Func<long, long> whole = WholeNumbers(input.Name, shape, random);
        Span<byte> number = stackalloc byte[sizeof(long)];
        for (int i = 0; i < bytes.Length / unit; i++)
        {
            Span<byte> element = bytes.Slice(i * unit, unit);
            switch (input.ElementType)
            {
                case TensorElementType.Float or TensorElementType.Complex64:
                    BinaryPrimitives.WriteSingleLittleEndian(element, random.NextSingle());
                    break;
                case TensorElementType.Double or TensorElementType.Complex128:
                    BinaryPrimitives.WriteDoubleLittleEndian(element, random.NextDouble());
                    break;
                case TensorElementType.Float16:
                    BinaryPrimitives.WriteHalfLittleEndian(element, (Half)random.NextSingle());
                    break;
                case TensorElementType.BFloat16:
                    BinaryPrimitives.WriteUInt16LittleEndian(element, (ushort)(BitConverter.SingleToUInt32Bits(random.NextSingle()) >> 16));
                    break;
                default:
                    BinaryPrimitives.WriteInt64LittleEndian(number, whole(i));
                    number[..unit].CopyTo(element);
                    break;
            }
        }
    }

    /// <summary>What a whole number may be depends on what the model uses it for, and only its name tells.</summary>
    private static Func<long, long> WholeNumbers(string name, TensorShape shape, Random random)
    {
        bool Says(string part) => name.Contains(part, StringComparison.OrdinalIgnoreCase);
        long last = shape.Rank > 0 ? Math.Max(shape.Dimensions[^1], 1) : 1;
        if (Says("mask"))
            return static _ => 1;
        if (Says("position"))
            return i => i % last;
        int limit = Says("token_type") || Says("segment") ? 2 : IdLimit;
        return _ => random.Next(limit);
    }

    private static bool IsFilledByBytes(TensorElementType type) => type.BitsPerElement() <= 8;

    private static void FillBytes(Span<byte> bytes, TensorElementType type, long elementCount, Random random)
    {
        (int least, int limit) = type switch
        {
            TensorElementType.Bool => (0, 2),
            // The codes from 0 to 1 in each of the 8-bit floats, or a little less: none of them is an infinity or no number.
            TensorElementType.Float8E4M3FN or TensorElementType.Float8E4M3FNUZ or TensorElementType.Float8E5M2 or TensorElementType.Float8E5M2FNUZ => (0, 0x39),
            TensorElementType.Float8E8M0 => (0x78, 0x80),
            _ => (0, 256),
        };
        for (int i = 0; i < bytes.Length; i++)
            bytes[i] = (byte)random.Next(least, limit);
        int usedBits = (int)(elementCount * type.BitsPerElement() % 8);
        if (usedBits > 0)
            bytes[^1] &= (byte)((1 << usedBits) - 1);
    }

    /// <summary>FNV-1a; the hash codes of strings differ from one run of a program to the next.</summary>
    private static int StableHash(string text)
    {
        uint hash = 2166136261;
        foreach (char character in text)
            hash = (hash ^ character) * 16777619;
        return (int)hash;
    }
}
