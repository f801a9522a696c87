namespace EdgeSplit.Tensors;

/// <summary>Sizes of element types.</summary>
public static class TensorElementTypeExtensions
{
    /// <summary>Bits that one element takes; 0 for strings and <see cref="TensorElementType.Undefined"/>, which have no fixed size.</summary>
    public static int BitsPerElement(this TensorElementType type) => type switch
    {
        TensorElementType.Float or TensorElementType.Int32 or TensorElementType.UInt32 => 32,
        TensorElementType.Int64 or TensorElementType.UInt64 or TensorElementType.Double or TensorElementType.Complex64 => 64,
        TensorElementType.Complex128 => 128,
        TensorElementType.Float16 or TensorElementType.BFloat16 or TensorElementType.Int16 or TensorElementType.UInt16 => 16,
        TensorElementType.UInt8 or TensorElementType.Int8 or TensorElementType.Bool
            or TensorElementType.Float8E4M3FN or TensorElementType.Float8E4M3FNUZ
            or TensorElementType.Float8E5M2 or TensorElementType.Float8E5M2FNUZ or TensorElementType.Float8E8M0 => 8,
        TensorElementType.UInt4 or TensorElementType.Int4 or TensorElementType.Float4E2M1 => 4,
        TensorElementType.UInt2 or TensorElementType.Int2 => 2,
        _ => 0,
    };

    /// <summary>Bytes that <paramref name="elementCount"/> elements take, packed; 0 for strings.</summary>
    /// <exception cref="OverflowException">The size exceeds <see cref="long.MaxValue"/>.</exception>
    public static long ByteCount(this TensorElementType type, long elementCount)
    {
        int bits = type.BitsPerElement();
        return bits >= 8
            ? checked(elementCount * (bits / 8))
            : (long)((UInt128)(ulong)elementCount * (uint)bits + 7 >> 3);
    }
}
