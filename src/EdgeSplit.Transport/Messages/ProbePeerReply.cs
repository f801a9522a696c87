using MessagePack;

namespace EdgeSplit.Transport.Messages;

/// <summary>Answers a probe of another agent with its round trip.</summary>
internal sealed record ProbePeerReply(TimeSpan RoundTrip) : Payload(Operation.ProbePeer)
{
    public override void Write(ref MessagePackWriter writer)
    {
        writer.WriteArrayHeader(1);
        writer.Write(RoundTrip.Ticks);
    }

    public static ProbePeerReply Read(ref MessagePackReader reader)
    {
        reader.ReadArrayHeaderOf(1);
        return new ProbePeerReply(new TimeSpan(reader.ReadInt64()));
    }
}
