using EdgeSplit.Agents;
using EdgeSplit.Devices;
using MessagePack;

namespace EdgeSplit.Transport.Messages;

internal sealed record DescribeReply(AgentDescription Description) : Payload(Operation.Describe)
{
    public override void Write(ref MessagePackWriter writer)
    {
        writer.WriteArrayHeader(Description.Address is null ? 6 : 7);
        WriteDevice(ref writer, Description.Device);
        writer.Write(Description.Runtime);
        writer.Write(Description.ExecutionProvider);
        writer.Write(Description.HostName);
        writer.Write(Description.Platform);
        writer.Write(Description.ProcessorCount);
        if (Description.Address is not null)
            writer.Write(Description.Address);
    }

    public static DescribeReply Read(ref MessagePackReader reader)
    {
        int count = reader.ReadArrayHeader();
        if (count is not (6 or 7))
            throw new MessagePackSerializationException($"a description has {count} elements instead of 6 or 7");
        return new DescribeReply(new AgentDescription
        {
            Device = ReadDevice(ref reader),
            Runtime = reader.ReadText(),
            ExecutionProvider = reader.ReadText(),
            HostName = reader.ReadText(),
            Platform = reader.ReadText(),
            ProcessorCount = reader.ReadInt32(),
            Address = count == 7 ? reader.ReadText() : null,
        });
    }

    private static void WriteDevice(ref MessagePackWriter writer, Device device)
    {
        writer.WriteArrayHeader(14);
        writer.Write(device.Id);
        writer.Write(device.FlopsPerSecond);
        writer.Write(device.MemoryBytesPerSecond);
        writer.Write(device.LayerOverheadSeconds);
        writer.Write(device.MemoryBytes);
        writer.Write(device.CurrentLoad);
        writer.Write(device.AllowedLoad);
        writer.Write(device.IdleWatts);
        writer.Write(device.ActiveWatts);
        writer.Write(device.ConcurrentStages);
        writer.Write(device.IsCoordinator);
        writer.Write((int)device.Origin);
        writer.Write(device.HasSharedInterface);
        writer.Write(device.RunsLayers);
    }

    private static Device ReadDevice(ref MessagePackReader reader)
    {
        reader.ReadArrayHeaderOf(14);
        return new Device
        {
            Id = reader.ReadText(),
            FlopsPerSecond = reader.ReadDouble(),
            MemoryBytesPerSecond = reader.ReadDouble(),
            LayerOverheadSeconds = reader.ReadDouble(),
            MemoryBytes = reader.ReadInt64(),
            CurrentLoad = reader.ReadDouble(),
            AllowedLoad = reader.ReadDouble(),
            IdleWatts = reader.ReadDouble(),
            ActiveWatts = reader.ReadDouble(),
            ConcurrentStages = reader.ReadInt32(),
            IsCoordinator = reader.ReadBoolean(),
            Origin = (CostOrigin)reader.ReadInt32(),
            HasSharedInterface = reader.ReadBoolean(),
            RunsLayers = reader.ReadBoolean(),
        };
    }
}
