using MessagePack;

namespace EdgeSplit.Transport.Messages;

/// <summary>No arguments.</summary>
internal sealed record EmptyPayload(Operation Operation) : Payload(Operation)
{
    public override void Write(ref MessagePackWriter writer) => writer.WriteArrayHeader(0);

    public static EmptyPayload Read(Operation operation, ref MessagePackReader reader)
    {
        reader.ReadArrayHeaderOf(0);
        return new EmptyPayload(operation);
    }
}
