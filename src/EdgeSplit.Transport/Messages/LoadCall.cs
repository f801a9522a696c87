using MessagePack;

namespace EdgeSplit.Transport.Messages;

/// <summary>Asks for a load; the partition is in the tensors (see <see cref="PartitionCodec"/>).</summary>
/// <param name="LoadId">The asking side's number for this load, by which the agent's side asks for blobs.</param>
internal sealed record LoadCall(int LoadId) : Payload(Operation.Load)
{
    public override void Write(ref MessagePackWriter writer)
    {
        writer.WriteArrayHeader(1);
        writer.Write(LoadId);
    }

    public static LoadCall Read(ref MessagePackReader reader)
    {
        reader.ReadArrayHeaderOf(1);
        return new LoadCall(reader.ReadInt32());
    }
}
