using MessagePack;

namespace EdgeSplit.Transport.Messages;

internal sealed record LoadReply(TimeSpan LoadTime, long ReceivedBytes) : Payload(Operation.Load)
{
    public override void Write(ref MessagePackWriter writer)
    {
        writer.WriteArrayHeader(2);
        writer.Write(LoadTime.Ticks);
        writer.Write(ReceivedBytes);
    }

    public static LoadReply Read(ref MessagePackReader reader)
    {
        reader.ReadArrayHeaderOf(2);
        return new LoadReply(new TimeSpan(reader.ReadInt64()), reader.ReadInt64());
    }
}
