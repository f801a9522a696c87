using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using EdgeSplit.Tensors;

namespace EdgeSplit.Onnx.Runtime.Files;

/// <summary>Tensors as NumPy's <c>.npy</c>, after the format's description in NumPy's reference (<c>numpy.lib.format</c>).</summary>
internal static class NumpyFormat
{
    private const int HeaderAlignment = 64;

    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>Reads a tensor.</summary>
    /// <exception cref="FormatException">The content is no array, is damaged, or has an element type without a counterpart.</exception>
    public static Tensor Read(byte[] content)
    {
        NumpyHeader header = ReadHeader(content, out int start);
        ReadOnlySpan<byte> elements = content.AsSpan(start);
        var type = NumpyType.Parse(header.Type);
        long count = header.Shape.ElementCount;
        if ((Int128)count * type.ByteCount != elements.Length)
            throw new FormatException($"it has {elements.Length} bytes of elements for {header.Type} {header.Shape}");

        byte[] ordered = elements.ToArray();
        if (type.IsBigEndian)
            ReverseEach(ordered, type.UnitByteCount);
        if (header.IsFortranOrder && header.Shape.Rank > 1)
            ordered = FromFortranOrder(ordered, header.Shape, type.ByteCount);
        if (type.ElementType is TensorElementType.String)
            return Tensor.FromStrings(ReadStrings(ordered, type, (int)count), header.Shape);
        Tensor tensor = Tensor.Allocate(type.ElementType, header.Shape, out Memory<byte> destination);
        ordered.CopyTo(destination.Span);
        return tensor;
    }

    /// <summary>Writes a tensor.</summary>
    /// <exception cref="NotSupportedException">NumPy has no such element type.</exception>
    public static void Write(Stream file, Tensor tensor)
    {
        bool isText = tensor.ElementType is TensorElementType.String;
        int[][] texts = isText ? [.. tensor.Strings.Select(static text => text.EnumerateRunes().Select(static rune => rune.Value).ToArray())] : [];
        int length = texts.Select(static text => text.Length).Append(1).Max();
        string type = isText ? $"<U{length}" : NumpyType.Describe(tensor.ElementType);
        WriteHeader(file, type, tensor.Shape);
        if (!isText)
        {
            file.Write(tensor.Bytes.Span);
            return;
        }
        byte[] unit = new byte[length * sizeof(int)];
        foreach (int[] text in texts)
        {
            Array.Clear(unit);
            for (int i = 0; i < text.Length; i++)
                BinaryPrimitives.WriteInt32LittleEndian(unit.AsSpan(i * sizeof(int)), text[i]);
            file.Write(unit);
        }
    }

    private static NumpyHeader ReadHeader(ReadOnlySpan<byte> content, out int start)
    {
        if (content.Length < Magic.Length + 4 || !content[..Magic.Length].SequenceEqual(Magic))
            throw new FormatException("it is no .npy file");
        byte version = content[Magic.Length];
        if (version is < 1 or > 3)
            throw new FormatException($"it is of format {version}; 1 to 3 are known");
        int prefix = Magic.Length + (version == 1 ? 4 : 6);
        if (content.Length < prefix)
            throw new FormatException("its header is cut short");
        uint length = version == 1 ? BinaryPrimitives.ReadUInt16LittleEndian(content[8..]) : BinaryPrimitives.ReadUInt32LittleEndian(content[8..]);
        if (length > content.Length - prefix)
            throw new FormatException("its header is cut short");
        start = prefix + (int)length;
        Encoding encoding = version == 3 ? Encoding.UTF8 : Encoding.Latin1;
        return NumpyHeader.Parse(encoding.GetString(content[prefix..start]));
    }

    private static void WriteHeader(Stream file, string type, TensorShape shape)
    {
        string sizes = string.Join(", ", shape.Dimensions.Select(static size => size.ToString(CultureInfo.InvariantCulture)));
        string header = $"{{'descr': '{type}', 'fortran_order': False, 'shape': ({sizes}{(shape.Rank == 1 ? "," : "")}), }}";
        // The elements start at a multiple of 64 bytes, so that they can be mapped.
        int prefix = Magic.Length + 4;
        int padded = (prefix + header.Length + 1 + HeaderAlignment - 1) / HeaderAlignment * HeaderAlignment - prefix;
        if (padded > ushort.MaxValue)
            throw new NotSupportedException("The shape has too many dimensions for NumPy.");
        Span<byte> start = stackalloc byte[prefix];
        Magic.CopyTo(start);
        start[6] = 1;
        start[7] = 0;
        BinaryPrimitives.WriteUInt16LittleEndian(start[8..], (ushort)padded);
        file.Write(start);
        file.Write(Encoding.Latin1.GetBytes(header.PadRight(padded - 1) + "\n"));
    }

    private static void ReverseEach(Span<byte> elements, int unitByteCount)
    {
        for (int i = 0; i < elements.Length; i += unitByteCount)
            elements.Slice(i, unitByteCount).Reverse();
    }

    /// <summary>Column-major to row-major: the first index runs fastest in the source, the last in the result.</summary>
    private static byte[] FromFortranOrder(ReadOnlySpan<byte> source, TensorShape shape, int byteCount)
    {
        byte[] result = new byte[source.Length];
        ReadOnlySpan<long> sizes = shape.Dimensions.AsSpan();
        long[] index = new long[sizes.Length], strides = new long[sizes.Length];
        long stride = byteCount;
        for (int axis = 0; axis < sizes.Length; axis++)
        {
            strides[axis] = stride;
            stride *= sizes[axis];
        }
        long from = 0;
        for (int to = 0; to < result.Length; to += byteCount)
        {
            source.Slice((int)from, byteCount).CopyTo(result.AsSpan(to));
            for (int axis = sizes.Length - 1; axis >= 0; axis--)
            {
                from += strides[axis];
                if (++index[axis] < sizes[axis])
                    break;
                from -= strides[axis] * sizes[axis];
                index[axis] = 0;
            }
        }
        return result;
    }

    /// <summary>Texts of a fixed length, filled up with zeros: UTF-32 or single bytes.</summary>
    private static IEnumerable<string> ReadStrings(byte[] elements, NumpyType type, int count)
    {
        Encoding encoding = type.UnitByteCount == sizeof(int) ? Encoding.UTF32 : Encoding.UTF8;
        for (int i = 0; i < count; i++)
            yield return encoding.GetString(elements, i * type.ByteCount, type.ByteCount).TrimEnd('\0');
    }
}
