using System.Collections.Immutable;
using EdgeSplit.Compression;
using MessagePack;

namespace EdgeSplit.Transport.Messages;

/// <summary>Answers a run; the outputs are in the tensors.</summary>
internal sealed record ExecuteReply(TimeSpan ComputeTime, TimeSpan QueueTime, ActivationEncoding Encoding = ActivationEncoding.None) : Payload(Operation.Execute)
{
    /// <summary>What the call asked for; it does not travel again.</summary>
    public override ActivationEncoding Encoding { get; } = Encoding;

    /// <summary>How long the run waited for other agents.</summary>
    public TimeSpan WaitTime { get; init; }

    /// <summary>How long each of the deliveries to other agents took.</summary>
    public ImmutableArray<TimeSpan> DeliveryTimes { get; init; } = [];

    public override void Write(ref MessagePackWriter writer)
    {
        bool hasPeers = WaitTime != TimeSpan.Zero || !DeliveryTimes.IsEmpty;
        writer.WriteArrayHeader(hasPeers ? 4 : 2);
        writer.Write(ComputeTime.Ticks);
        writer.Write(QueueTime.Ticks);
        if (!hasPeers)
            return;
        writer.Write(WaitTime.Ticks);
        writer.WriteArrayHeader(DeliveryTimes.Length);
        foreach (TimeSpan time in DeliveryTimes)
            writer.Write(time.Ticks);
    }

    public static ExecuteReply Read(ref MessagePackReader reader)
    {
        int count = reader.ReadArrayHeader();
        if (count is not (2 or 4))
            throw new MessagePackSerializationException($"an execution's answer has {count} elements instead of 2 or 4");
        var reply = new ExecuteReply(new TimeSpan(reader.ReadInt64()), new TimeSpan(reader.ReadInt64()));
        return count == 2 ? reply : reply with { WaitTime = new TimeSpan(reader.ReadInt64()), DeliveryTimes = ReadTimes(ref reader) };
    }

    private static ImmutableArray<TimeSpan> ReadTimes(ref MessagePackReader reader)
    {
        // The reader has checked that as many elements may follow as the header says.
        int count = reader.ReadArrayHeader();
        var times = ImmutableArray.CreateBuilder<TimeSpan>();
        for (int i = 0; i < count; i++)
            times.Add(new TimeSpan(reader.ReadInt64()));
        return times.ToImmutable();
    }
}
