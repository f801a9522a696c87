using System.Buffers;
using EdgeSplit.Transport.Connections;
using EdgeSplit.Transport.Framing;
using EdgeSplit.Transport.Messages;

namespace EdgeSplit.Transport.Tests.Wire;

/// <summary>What a coordinator says, byte for byte, for tests that say it by hand.</summary>
internal static class WireBytes
{
    /// <summary>All that a coordinator without a token says before its first request.</summary>
    /// <param name="maxBufferedBytes">The bytes of tensors that it takes at a time.</param>
    public static byte[] Handshake(int maxBufferedBytes)
    {
        byte[] preamble = new byte[Preamble.ByteCount];
        Preamble.Own.Write(preamble);
        var hello = new ArrayBufferWriter<byte>();
        Hello.Create(PeerRole.Coordinator, new WireLimits(4096, maxBufferedBytes, maxBufferedBytes, 8), wantsToken: false).Write(hello);
        return [.. preamble, .. Frame(FrameType.Hello, 0, hello.WrittenSpan, []), .. Frame(FrameType.Proof, 0, [0x92, 0xC4, 0x00, 0xA0], [])];
    }

    /// <summary>The header of a request.</summary>
    public static byte[] Request(Payload payload, params TensorPart[] tensors)
    {
        var header = new ArrayBufferWriter<byte>();
        new MessageHead(payload, tensors).WriteRequest(header);
        return header.WrittenSpan.ToArray();
    }

    /// <summary>A whole frame.</summary>
    public static byte[] Frame(FrameType type, uint streamId, ReadOnlySpan<byte> header, ReadOnlySpan<byte> body)
    {
        byte[] prefix = new byte[FramePrefix.ByteCount];
        new FramePrefix(type, streamId, header.Length, body.Length).Write(prefix);
        return [.. prefix, .. header, .. body];
    }
}
