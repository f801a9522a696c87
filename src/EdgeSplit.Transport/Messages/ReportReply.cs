using EdgeSplit.Agents;
using EdgeSplit.Monitoring;
using MessagePack;

namespace EdgeSplit.Transport.Messages;

internal sealed record ReportReply(ResourceReport Report) : Payload(Operation.Report)
{
    public override void Write(ref MessagePackWriter writer)
    {
        writer.WriteArrayHeader(7);
        writer.Write(Report.AgentId);
        writer.Write(Report.SequenceNumber);
        writer.Write(Report.Timestamp.UtcTicks);
        writer.Write((int)Report.Timestamp.Offset.TotalMinutes);
        WriteSample(ref writer, Report.Resources);
        writer.Write(Report.LoadedPartitions);
        writer.Write(Report.PendingExecutions);
    }

    public static ReportReply Read(ref MessagePackReader reader)
    {
        reader.ReadArrayHeaderOf(7);
        return new ReportReply(new ResourceReport
        {
            AgentId = reader.ReadText(),
            SequenceNumber = reader.ReadInt64(),
            Timestamp = new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero).ToOffset(TimeSpan.FromMinutes(reader.ReadInt32())),
            Resources = ReadSample(ref reader),
            LoadedPartitions = reader.ReadInt32(),
            PendingExecutions = reader.ReadInt32(),
        });
    }

    private static void WriteSample(ref MessagePackWriter writer, ResourceSample sample)
    {
        writer.WriteArrayHeader(11);
        writer.WriteOptional(sample.HostCpuLoad);
        writer.WriteOptional(sample.ProcessCpuLoad);
        writer.WriteOptional(sample.AvailableMemoryBytes);
        writer.WriteOptional(sample.ProcessMemoryBytes);
        writer.WriteOptional(sample.AcceleratorLoad);
        writer.WriteOptional(sample.AcceleratorAvailableMemoryBytes);
        writer.WriteOptional(sample.ReceivedBytesPerSecond);
        writer.WriteOptional(sample.SentBytesPerSecond);
        writer.WriteOptional(sample.TemperatureCelsius);
        writer.WriteOptional(sample.PowerWatts);
        writer.WriteOptional(sample.BatteryCharge);
    }

    private static ResourceSample ReadSample(ref MessagePackReader reader)
    {
        reader.ReadArrayHeaderOf(11);
        return new ResourceSample
        {
            HostCpuLoad = reader.ReadOptionalDouble(),
            ProcessCpuLoad = reader.ReadOptionalDouble(),
            AvailableMemoryBytes = reader.ReadOptionalInt64(),
            ProcessMemoryBytes = reader.ReadOptionalInt64(),
            AcceleratorLoad = reader.ReadOptionalDouble(),
            AcceleratorAvailableMemoryBytes = reader.ReadOptionalInt64(),
            ReceivedBytesPerSecond = reader.ReadOptionalDouble(),
            SentBytesPerSecond = reader.ReadOptionalDouble(),
            TemperatureCelsius = reader.ReadOptionalDouble(),
            PowerWatts = reader.ReadOptionalDouble(),
            BatteryCharge = reader.ReadOptionalDouble(),
        };
    }
}
