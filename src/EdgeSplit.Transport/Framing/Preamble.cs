using System.Buffers;
using System.Buffers.Binary;

namespace EdgeSplit.Transport.Framing;

/// <summary>
/// The first bytes in both directions, before any frame: the magic <c>EDGESPLT</c> (8), the version (2), zero (2) and feature
/// flags (4), little-endian. Both sides use the features that both name.
/// </summary>
internal readonly record struct Preamble(ushort Version, uint Features)
{
    public const int ByteCount = 16;

    /// <summary>The version that this code speaks. A change that old peers cannot read raises it.</summary>
    public const ushort CurrentVersion = 1;

    /// <summary>The feature of tensors that travel encoded.</summary>
    public const uint EncodedTensors = 1;

    public static Preamble Own { get; } = new(CurrentVersion, EncodedTensors);

    private static ReadOnlySpan<byte> Magic => "EDGESPLT"u8;

    public void Write(Span<byte> destination)
    {
        Magic.CopyTo(destination);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[8..], Version);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[10..], 0);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[12..], Features);
    }

    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.ProtocolViolation"/>: not EdgeSplit, or another version of it.</exception>
    public static Preamble Read(in ReadOnlySequence<byte> source)
    {
        Span<byte> bytes = stackalloc byte[ByteCount];
        source.Slice(0, ByteCount).CopyTo(bytes);
        if (!bytes[..Magic.Length].SequenceEqual(Magic))
            throw ProtocolError.Violation("it does not speak EdgeSplit; check the address, and that both or neither side uses TLS");
        ushort version = BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..]);
        if (version != CurrentVersion)
            throw ProtocolError.Violation($"it speaks version {version} and this side version {CurrentVersion}; update the older side");
        return new Preamble(version, BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]));
    }
}
