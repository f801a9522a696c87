using EdgeSplit.Compression;
using MessagePack;

namespace EdgeSplit.Transport.Messages;

/// <summary>Answers a run; the outputs are in the tensors.</summary>
internal sealed record ExecuteReply(TimeSpan ComputeTime, TimeSpan QueueTime, ActivationEncoding Encoding = ActivationEncoding.None) : Payload(Operation.Execute)
{
    /// <summary>What the call asked for; it does not travel again.</summary>
    public override ActivationEncoding Encoding { get; } = Encoding;

    public override void Write(ref MessagePackWriter writer)
    {
        writer.WriteArrayHeader(2);
        writer.Write(ComputeTime.Ticks);
        writer.Write(QueueTime.Ticks);
    }

    public static ExecuteReply Read(ref MessagePackReader reader)
    {
        reader.ReadArrayHeaderOf(2);
        return new ExecuteReply(new TimeSpan(reader.ReadInt64()), new TimeSpan(reader.ReadInt64()));
    }
}
