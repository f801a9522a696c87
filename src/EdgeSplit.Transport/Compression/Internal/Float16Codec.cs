using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace EdgeSplit.Transport.Compression.Internal;

/// <summary>32-bit floats as IEEE 754 binary16, little-endian, rounded to nearest.</summary>
internal static class Float16Codec
{
    /// <summary>Half a unit in the last of 11 digits, relative to the number itself and so to the largest.</summary>
    public const double LargestError = 1.0 / 2048;

    private const float LargestHalf = 65_504;

    /// <returns>The bytes written; 0 if a number is not finite or too large.</returns>
    public static int Encode(ReadOnlySpan<float> numbers, Span<byte> destination)
    {
        // Not a number compares as false.
        if (!(MathF.Abs(TensorPrimitives.MaxMagnitude(numbers)) <= LargestHalf))
            return 0;
        TensorPrimitives.ConvertToHalf(numbers, MemoryMarshal.Cast<byte, Half>(destination)[..numbers.Length]);
        return numbers.Length * 2;
    }

    public static void Decode(ReadOnlySpan<byte> encoded, Span<float> numbers) =>
        TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(encoded), numbers);
}
