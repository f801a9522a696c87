using MessagePack;

namespace EdgeSplit.Transport.Messages;

/// <summary>Gives a piece of a blob, which is the only tensor.</summary>
/// <param name="IsLast">Whether the blob ends with it.</param>
internal sealed record ReadBlobReply(bool IsLast) : Payload(Operation.ReadBlob)
{
    public override void Write(ref MessagePackWriter writer)
    {
        writer.WriteArrayHeader(1);
        writer.Write(IsLast);
    }

    public static ReadBlobReply Read(ref MessagePackReader reader)
    {
        reader.ReadArrayHeaderOf(1);
        return new ReadBlobReply(reader.ReadBoolean());
    }
}
