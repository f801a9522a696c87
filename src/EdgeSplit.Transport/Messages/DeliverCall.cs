using MessagePack;

namespace EdgeSplit.Transport.Messages;

/// <summary>Brings inputs of a run; they are in the tensors.</summary>
internal sealed record DeliverCall(Guid RequestId, string PartitionId) : Payload(Operation.Deliver)
{
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
