using System.Buffers;
using EdgeSplit.Tensors;
using K4os.Compression.LZ4;

namespace EdgeSplit.Transport.Compression.Internal;

/// <summary>
/// One LZ4 block over the elements' bytes, sorted: the first bytes of all elements, then the second ones, and so on. The bytes of
/// sign and exponent repeat themselves, which LZ4 only sees when they lie together.
/// </summary>
internal static class Lz4Codec
{
    /// <returns>The bytes written, fewer than those of the elements; 0 if they do not get fewer.</returns>
    public static int Encode(ReadOnlySpan<byte> elements, int elementBytes, Span<byte> destination, TensorBufferPool pool)
    {
        using IMemoryOwner<byte>? sorted = elementBytes > 1 ? pool.Rent(elements.Length) : null;
        if (sorted is not null)
        {
            Sort(elements, elementBytes, sorted.Memory.Span);
            elements = sorted.Memory.Span;
        }
        return Math.Max(LZ4Codec.Encode(elements, destination[..(elements.Length - 1)], LZ4Level.L00_FAST), 0);
    }

    /// <summary>Decodes a block; false if it is damaged or of another length than the elements have.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> encoded, int elementBytes, Span<byte> elements, TensorBufferPool pool)
    {
        if (elementBytes <= 1)
            return LZ4Codec.Decode(encoded, elements) == elements.Length;
        using IMemoryOwner<byte> sorted = pool.Rent(elements.Length);
        if (LZ4Codec.Decode(encoded, sorted.Memory.Span) != elements.Length)
            return false;
        Unsort(sorted.Memory.Span, elementBytes, elements);
        return true;
    }

    private static void Sort(ReadOnlySpan<byte> elements, int elementBytes, Span<byte> sorted)
    {
        int count = elements.Length / elementBytes;
        for (int plane = 0; plane < elementBytes; plane++)
        {
            Span<byte> own = sorted.Slice(plane * count, count);
            for (int i = 0, from = plane; i < own.Length; i++, from += elementBytes)
                own[i] = elements[from];
        }
    }

    private static void Unsort(ReadOnlySpan<byte> sorted, int elementBytes, Span<byte> elements)
    {
        int count = elements.Length / elementBytes;
        for (int plane = 0; plane < elementBytes; plane++)
        {
            ReadOnlySpan<byte> own = sorted.Slice(plane * count, count);
            for (int i = 0, to = plane; i < own.Length; i++, to += elementBytes)
                elements[to] = own[i];
        }
    }
}
