using EdgeSplit.Compression;
using MessagePack;

namespace EdgeSplit.Transport.Messages;

/// <summary>Asks for a run; the inputs are in the tensors.</summary>
/// <param name="RequestId">The caller's request.</param>
/// <param name="PartitionId">The partition to run.</param>
/// <param name="Encoding">How the inputs travel, and how the outputs shall.</param>
internal sealed record ExecuteCall(Guid RequestId, string PartitionId, ActivationEncoding Encoding = ActivationEncoding.None) : Payload(Operation.Execute)
{
    public override ActivationEncoding Encoding { get; } = Encoding;

    public override void Write(ref MessagePackWriter writer)
    {
        bool isEncoded = Encoding != ActivationEncoding.None;
        writer.WriteArrayHeader(isEncoded ? 3 : 2);
        writer.WriteGuid(RequestId);
        writer.Write(PartitionId);
        if (isEncoded)
            writer.Write((int)Encoding);
    }

    public static ExecuteCall Read(ref MessagePackReader reader)
    {
        int count = reader.ReadArrayHeader();
        if (count is not (2 or 3))
            throw new MessagePackSerializationException($"an execution has {count} arguments instead of 2 or 3");
        Guid requestId = reader.ReadGuid();
        string partitionId = reader.ReadText();
        return new ExecuteCall(requestId, partitionId, count == 3 ? reader.ReadEncoding() : ActivationEncoding.None);
    }
}
