using System.Buffers;
using System.Security.Cryptography;
using EdgeSplit.Transport.Framing;
using EdgeSplit.Transport.Messages;
using MessagePack;

namespace EdgeSplit.Transport.Connections;

/// <summary>The header of a Hello frame.</summary>
/// <param name="Nonce">32 random bytes, new for each connection: what was seen of another handshake is worth nothing.</param>
/// <param name="Role">What the sender is.</param>
/// <param name="Limits">What the sender takes.</param>
/// <param name="WantsToken">Whether the sender insists on the join token.</param>
internal sealed record Hello(byte[] Nonce, PeerRole Role, WireLimits Limits, bool WantsToken)
{
    private const int NonceBytes = 32;

    public static Hello Create(PeerRole role, WireLimits limits, bool wantsToken) =>
        new(RandomNumberGenerator.GetBytes(NonceBytes), role, limits, wantsToken);

    public void Write(IBufferWriter<byte> destination)
    {
        var writer = new MessagePackWriter(destination);
        writer.WriteArrayHeader(7);
        writer.Write(Nonce);
        writer.Write((byte)Role);
        writer.Write(Limits.MaxHeaderBytes);
        writer.Write(Limits.MaxTensorBytes);
        writer.Write(Limits.MaxBufferedBytes);
        writer.Write(Limits.MaxConcurrentRequests);
        writer.Write(WantsToken);
        writer.Flush();
    }

    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.ProtocolViolation"/>.</exception>
    public static Hello Read(in ReadOnlySequence<byte> header)
    {
        try
        {
            var reader = new MessagePackReader(header);
            reader.ReadArrayHeaderOf(7);
            byte[] nonce = new byte[NonceBytes];
            reader.ReadExactBytes(nonce);
            var role = (PeerRole)reader.ReadByte();
            var limits = new WireLimits(reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt64(), reader.ReadInt32());
            bool wantsToken = reader.ReadBoolean();
            if (role is not (PeerRole.Coordinator or PeerRole.Agent))
                throw new FormatException($"role {(byte)role} is not known");
            if (limits.MaxHeaderBytes < WireLimits.LeastHeaderBytes || limits.MaxTensorBytes < 0 || limits.MaxBufferedBytes < limits.MaxTensorBytes)
                throw new FormatException("the limits contradict each other");
            return reader.End ? new Hello(nonce, role, limits, wantsToken) : throw new FormatException("bytes are left over");
        }
        catch (Exception exception) when (ProtocolError.IsMalformedInput(exception))
        {
            throw ProtocolError.Violation($"its Hello is malformed ({exception.Message})", exception);
        }
    }
}
