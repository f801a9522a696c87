using System.Buffers;
using EdgeSplit.Compression;
using EdgeSplit.Storage;
using MessagePack;

namespace EdgeSplit.Transport.Messages;

/// <summary>
/// The few shapes that the wire format is made of. Everything is read by position with exact counts: there is nothing to
/// skip, no type name to resolve and no depth that the peer could choose.
/// </summary>
internal static class MessagePackExtensions
{
    private const int GuidBytes = 16;

    public static void ReadArrayHeaderOf(this ref MessagePackReader reader, int expectedCount)
    {
        int count = reader.ReadArrayHeader();
        if (count != expectedCount)
            throw new MessagePackSerializationException($"an array has {count} elements instead of {expectedCount}");
    }

    public static string ReadText(this ref MessagePackReader reader) =>
        reader.ReadString() ?? throw new MessagePackSerializationException("a text is missing");

    /// <summary>Reads an encoding that does something.</summary>
    public static ActivationEncoding ReadEncoding(this ref MessagePackReader reader)
    {
        var encoding = (ActivationEncoding)reader.ReadInt32();
        return encoding is > ActivationEncoding.None and <= ActivationEncoding.Lz4
            ? encoding
            : throw new MessagePackSerializationException($"encoding {(int)encoding} is not known");
    }

    public static void WriteOptional(this ref MessagePackWriter writer, double? value)
    {
        if (value is { } number)
            writer.Write(number);
        else
            writer.WriteNil();
    }

    public static double? ReadOptionalDouble(this ref MessagePackReader reader) => reader.TryReadNil() ? null : reader.ReadDouble();

    public static void WriteOptional(this ref MessagePackWriter writer, long? value)
    {
        if (value is { } number)
            writer.Write(number);
        else
            writer.WriteNil();
    }

    public static long? ReadOptionalInt64(this ref MessagePackReader reader) => reader.TryReadNil() ? null : reader.ReadInt64();

    public static void WriteGuid(this ref MessagePackWriter writer, Guid value)
    {
        writer.WriteBinHeader(GuidBytes);
        value.TryWriteBytes(writer.GetSpan(GuidBytes), bigEndian: true, out _);
        writer.Advance(GuidBytes);
    }

    public static Guid ReadGuid(this ref MessagePackReader reader)
    {
        Span<byte> bytes = stackalloc byte[GuidBytes];
        reader.ReadExactBytes(bytes);
        return new Guid(bytes, bigEndian: true);
    }

    public static void WriteHash(this ref MessagePackWriter writer, ContentHash hash)
    {
        writer.WriteBinHeader(ContentHash.ByteCount);
        hash.CopyTo(writer.GetSpan(ContentHash.ByteCount));
        writer.Advance(ContentHash.ByteCount);
    }

    public static ContentHash ReadHash(this ref MessagePackReader reader)
    {
        Span<byte> bytes = stackalloc byte[ContentHash.ByteCount];
        reader.ReadExactBytes(bytes);
        return new ContentHash(bytes);
    }

    /// <summary>Reads a binary of exactly the length of <paramref name="destination"/>.</summary>
    public static void ReadExactBytes(this ref MessagePackReader reader, scoped Span<byte> destination)
    {
        ReadOnlySequence<byte> bytes = reader.ReadBytes() ?? default;
        if (bytes.Length != destination.Length)
            throw new MessagePackSerializationException($"a binary has {bytes.Length} bytes instead of {destination.Length}");
        bytes.CopyTo(destination);
    }
}
