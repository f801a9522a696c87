using System.Buffers;
using System.Buffers.Binary;

namespace EdgeSplit.Transport.Framing;

/// <summary>
/// The fixed start of every frame, little-endian: type (1), flags (1, none defined), padding length (2), stream (4), header
/// length (4), body length (4). The header follows, then the padding, whose bytes mean nothing, then the body.
/// </summary>
/// <remarks>
/// With the padding a sender can bring the body to the alignment of the memory that it comes from. Copying between buffers
/// whose addresses differ by 1 to 63 modulo a page is several times slower on some processors, in the kernel's sockets too.
/// </remarks>
internal readonly record struct FramePrefix(FrameType Type, uint StreamId, int HeaderBytes, int BodyBytes, int PaddingBytes = 0)
{
    public const int ByteCount = 16;

    /// <summary>The most padding that is taken.</summary>
    public const int MaxPaddingBytes = 63;

    public void Write(Span<byte> destination)
    {
        destination[0] = (byte)Type;
        destination[1] = 0;
        BinaryPrimitives.WriteUInt16LittleEndian(destination[2..], (ushort)PaddingBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[4..], StreamId);
        BinaryPrimitives.WriteInt32LittleEndian(destination[8..], HeaderBytes);
        BinaryPrimitives.WriteInt32LittleEndian(destination[12..], BodyBytes);
    }

    /// <summary>Reads and checks a prefix.</summary>
    /// <param name="source">At least <see cref="ByteCount"/> bytes.</param>
    /// <param name="maxHeaderBytes">The longest header that is taken.</param>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.ProtocolViolation"/>.</exception>
    public static FramePrefix Read(in ReadOnlySequence<byte> source, int maxHeaderBytes)
    {
        Span<byte> bytes = stackalloc byte[ByteCount];
        source.Slice(0, ByteCount).CopyTo(bytes);
        var type = (FrameType)bytes[0];
        int paddingBytes = BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]);
        uint streamId = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
        uint headerBytes = BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]);
        uint bodyBytes = BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]);

        bool isMessage = type is FrameType.Request or FrameType.Response or FrameType.Failure or FrameType.Data;
        if (!isMessage && type is not (>= FrameType.Hello and <= FrameType.Close))
            throw ProtocolError.Violation($"frame type {bytes[0]} is not known");
        if (bytes[1] != 0)
            throw ProtocolError.Violation($"a {type} frame has unknown flags");
        if ((isMessage || type == FrameType.Cancel) != (streamId != 0))
            throw ProtocolError.Violation($"a {type} frame has stream {streamId}");
        if (headerBytes > (uint)maxHeaderBytes)
            throw ProtocolError.Violation($"a {type} frame has a header of {headerBytes} bytes; at most {maxHeaderBytes} are taken");
        if (bodyBytes > int.MaxValue || (bodyBytes != 0 && type is not (FrameType.Request or FrameType.Response or FrameType.Data)))
            throw ProtocolError.Violation($"a {type} frame has a body of {bodyBytes} bytes");
        if (paddingBytes > (bodyBytes == 0 ? 0 : MaxPaddingBytes))
            throw ProtocolError.Violation($"a {type} frame has {paddingBytes} bytes of padding");
        if (type == FrameType.Data && (headerBytes != 0 || bodyBytes == 0))
            throw ProtocolError.Violation("a Data frame has a header or no body");
        return new FramePrefix(type, streamId, (int)headerBytes, (int)bodyBytes, paddingBytes);
    }
}
