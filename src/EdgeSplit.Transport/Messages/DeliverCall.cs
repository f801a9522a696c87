using EdgeSplit.Compression;
using MessagePack;

namespace EdgeSplit.Transport.Messages;

/// <summary>Brings inputs of a run; they are in the tensors.</summary>
/// <param name="RequestId">The caller's request.</param>
/// <param name="PartitionId">The partition that reads them.</param>
/// <param name="Encoding">How they travel; each tensor says it of itself, so it is not written.</param>
internal sealed record DeliverCall(Guid RequestId, string PartitionId, ActivationEncoding Encoding = ActivationEncoding.None) : Payload(Operation.Deliver)
{
    public override ActivationEncoding Encoding { get; } = Encoding;

    public override void Write(ref MessagePackWriter writer)
    {
        writer.WriteArrayHeader(2);
        writer.WriteGuid(RequestId);
        writer.Write(PartitionId);
    }

    public static DeliverCall Read(ref MessagePackReader reader)
    {
        reader.ReadArrayHeaderOf(2);
        return new DeliverCall(reader.ReadGuid(), reader.ReadText());
    }
}
