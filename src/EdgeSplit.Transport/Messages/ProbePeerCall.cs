using EdgeSplit.Agents;
using MessagePack;

namespace EdgeSplit.Transport.Messages;

/// <summary>Asks for a probe of another agent.</summary>
internal sealed record ProbePeerCall(PeerAddress Peer, int PayloadByteCount) : Payload(Operation.ProbePeer)
{
    public override void Write(ref MessagePackWriter writer)
    {
        writer.WriteArrayHeader(3);
        writer.Write(Peer.AgentId);
        writer.Write(Peer.Address);
        writer.Write(PayloadByteCount);
    }

    public static ProbePeerCall Read(ref MessagePackReader reader)
    {
        reader.ReadArrayHeaderOf(3);
        var peer = new PeerAddress(reader.ReadText(), reader.ReadText());
        int payloadByteCount = reader.ReadInt32();
        return payloadByteCount >= 0 ? new ProbePeerCall(peer, payloadByteCount) : throw new MessagePackSerializationException("a probe has less than 0 bytes");
    }
}
