using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace EdgeSplit.Tensors;

/// <summary>Tensors of strings as bytes: for each element its length in bytes (4, little-endian) and its UTF-8.</summary>
public static class StringTensorCodec
{
    /// <summary>The bytes that tell an element's length.</summary>
    public const int LengthBytes = 4;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The bytes that a tensor of strings takes.</summary>
    public static long EncodedBytes(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return (long)tensor.Strings.Count * LengthBytes + tensor.ByteCount;
    }

    /// <summary>Writes a tensor of strings.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="encodedBytes">What <see cref="EncodedBytes"/> says of it.</param>
    /// <param name="pool">Where the memory comes from.</param>
    /// <returns>The bytes, which belong to the caller.</returns>
    public static IMemoryOwner<byte> Encode(Tensor tensor, int encodedBytes, TensorBufferPool pool)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        ArgumentNullException.ThrowIfNull(pool);
        IMemoryOwner<byte> owner = pool.Rent(encodedBytes);
        Span<byte> rest = owner.Memory.Span;
        foreach (string text in tensor.Strings)
        {
            int length = Encoding.UTF8.GetBytes(text, rest[LengthBytes..]);
            BinaryPrimitives.WriteInt32LittleEndian(rest, length);
            rest = rest[(LengthBytes + length)..];
        }
        return owner;
    }

    /// <summary>Reads a tensor of strings.</summary>
    /// <exception cref="FormatException">The bytes are not that many strings.</exception>
    public static Tensor Decode(TensorShape shape, ReadOnlySpan<byte> bytes)
    {
        if (shape.ElementCount > bytes.Length / LengthBytes)
            throw new FormatException("a tensor of strings ends early");
        var strings = new string[shape.ElementCount];
        for (int i = 0; i < strings.Length; i++)
        {
            if (bytes.Length < LengthBytes)
                throw new FormatException("a tensor of strings ends early");
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
            bytes = bytes[LengthBytes..];
            if (length > (uint)bytes.Length)
                throw new FormatException("a tensor of strings ends early");
            try
            {
                strings[i] = Utf8.GetString(bytes[..(int)length]);
            }
            catch (DecoderFallbackException exception)
            {
                throw new FormatException("a string is not UTF-8", exception);
            }
            bytes = bytes[(int)length..];
        }
        return bytes.IsEmpty ? Tensor.FromStrings(strings, shape) : throw new FormatException("bytes are left over after a tensor of strings");
    }
}
