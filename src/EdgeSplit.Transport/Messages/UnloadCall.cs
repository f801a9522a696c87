using MessagePack;

namespace EdgeSplit.Transport.Messages;

internal sealed record UnloadCall(string PartitionId) : Payload(Operation.Unload)
{
    public override void Write(ref MessagePackWriter writer)
    {
        writer.WriteArrayHeader(1);
        writer.Write(PartitionId);
    }

    public static UnloadCall Read(ref MessagePackReader reader)
    {
        reader.ReadArrayHeaderOf(1);
        return new UnloadCall(reader.ReadText());
    }
}
