using EdgeSplit.Agents;
using EdgeSplit.Compression;
using MessagePack;

namespace EdgeSplit.Transport.Messages;

/// <summary>Asks for a run; the inputs are in the tensors.</summary>
/// <param name="RequestId">The caller's request.</param>
/// <param name="PartitionId">The partition to run.</param>
/// <param name="Encoding">How the inputs travel, and how the outputs shall.</param>
/// <param name="Exchange">What is exchanged with other agents; null for nothing.</param>
internal sealed record ExecuteCall(Guid RequestId, string PartitionId, ActivationEncoding Encoding = ActivationEncoding.None, PeerExchange? Exchange = null) : Payload(Operation.Execute)
{
    public override ActivationEncoding Encoding { get; } = Encoding;

    public override void Write(ref MessagePackWriter writer)
    {
        bool isEncoded = Encoding != ActivationEncoding.None;
        writer.WriteArrayHeader(Exchange is not null ? 4 : isEncoded ? 3 : 2);
        writer.WriteGuid(RequestId);
        writer.Write(PartitionId);
        if (isEncoded)
            writer.Write((int)Encoding);
        else if (Exchange is not null)
            writer.WriteNil();
        if (Exchange is not null)
            PeerExchangeFormat.Write(ref writer, Exchange);
    }

    public static ExecuteCall Read(ref MessagePackReader reader)
    {
        int count = reader.ReadArrayHeader();
        if (count is not (2 or 3 or 4))
            throw new MessagePackSerializationException($"an execution has {count} arguments instead of 2 to 4");
        Guid requestId = reader.ReadGuid();
        string partitionId = reader.ReadText();
        ActivationEncoding encoding = count == 3 || (count == 4 && !reader.TryReadNil()) ? reader.ReadEncoding() : ActivationEncoding.None;
        return new ExecuteCall(requestId, partitionId, encoding, count == 4 ? PeerExchangeFormat.Read(ref reader) : null);
    }
}
