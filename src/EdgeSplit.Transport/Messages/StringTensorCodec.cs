using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using EdgeSplit.Tensors;

namespace EdgeSplit.Transport.Messages;

/// <summary>Tensors of strings as bytes: for each element its length in bytes (4, little-endian) and its UTF-8.</summary>
internal static class StringTensorCodec
{
    public const int LengthBytes = 4;

    public static long EncodedBytes(Tensor tensor) => (long)tensor.Strings.Count * LengthBytes + tensor.ByteCount;

    public static IMemoryOwner<byte> Encode(Tensor tensor, int encodedBytes, TensorBufferPool pool)
    {
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

    /// <exception cref="FormatException">The bytes are not the given number of strings.</exception>
    public static Tensor Decode(TensorShape shape, ReadOnlySpan<byte> bytes)
    {
        var strings = new string[shape.ElementCount];
        for (int i = 0; i < strings.Length; i++)
        {
            if (bytes.Length < LengthBytes)
                throw new FormatException("a tensor of strings ends early");
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
            bytes = bytes[LengthBytes..];
            if (length > (uint)bytes.Length)
                throw new FormatException("a tensor of strings ends early");
            strings[i] = Encoding.UTF8.GetString(bytes[..(int)length]);
            bytes = bytes[(int)length..];
        }
        return bytes.IsEmpty ? Tensor.FromStrings(strings, shape) : throw new FormatException("bytes are left over after a tensor of strings");
    }
}
