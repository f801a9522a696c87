using MessagePack;

namespace EdgeSplit.Transport.Messages;

/// <summary>Asks for a run; the inputs are in the tensors.</summary>
internal sealed record ExecuteCall(Guid RequestId, string PartitionId) : Payload(Operation.Execute)
{
    public override void Write(ref MessagePackWriter writer)
    {
        writer.WriteArrayHeader(2);
        writer.WriteGuid(RequestId);
        writer.Write(PartitionId);
    }

    public static ExecuteCall Read(ref MessagePackReader reader)
    {
        reader.ReadArrayHeaderOf(2);
        return new ExecuteCall(reader.ReadGuid(), reader.ReadText());
    }
}
