using System.Collections.Immutable;
using EdgeSplit.Agents;
using EdgeSplit.Devices;
using EdgeSplit.Monitoring;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace EdgeSplit.Grpc.Messages;

/// <summary>Core's records as messages, and back.</summary>
internal static class AgentMessages
{
    private const int MaxRank = 64;
    private const int GuidBytes = 16;

    public static ByteString ToMessage(this Guid id)
    {
        byte[] bytes = new byte[GuidBytes];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        return UnsafeByteOperations.UnsafeWrap(bytes);
    }

    public static Guid ToGuid(this ByteString bytes) => bytes.Length == GuidBytes
        ? new Guid(bytes.Span, bigEndian: true)
        : throw new EdgeSplitException(EdgeSplitError.InvalidArgument, $"A request id has {GuidBytes} bytes, not {bytes.Length}.");

    public static V1.AgentDescription ToMessage(this AgentDescription description) => new()
    {
        Device = description.Device.ToMessage(),
        Runtime = description.Runtime,
        ExecutionProvider = description.ExecutionProvider,
        HostName = description.HostName,
        Platform = description.Platform,
        ProcessorCount = description.ProcessorCount,
    };

    public static AgentDescription ToDescription(this V1.AgentDescription message) => new()
    {
        Device = (message.Device ?? throw Missing("a description's device")).ToDevice(),
        Runtime = message.Runtime,
        ExecutionProvider = message.ExecutionProvider,
        HostName = message.HostName,
        Platform = message.Platform,
        ProcessorCount = message.ProcessorCount,
    };

    public static V1.ResourceReport ToMessage(this ResourceReport report)
    {
        var sample = new V1.ResourceSample();
        ResourceSample from = report.Resources;
        // Absence is part of the message, so a property is only set where there is a figure.
        if (from.HostCpuLoad is { } hostCpu)
            sample.HostCpuLoad = hostCpu;
        if (from.ProcessCpuLoad is { } processCpu)
            sample.ProcessCpuLoad = processCpu;
        if (from.AvailableMemoryBytes is { } available)
            sample.AvailableMemoryBytes = available;
        if (from.ProcessMemoryBytes is { } processMemory)
            sample.ProcessMemoryBytes = processMemory;
        if (from.AcceleratorLoad is { } accelerator)
            sample.AcceleratorLoad = accelerator;
        if (from.AcceleratorAvailableMemoryBytes is { } acceleratorMemory)
            sample.AcceleratorAvailableMemoryBytes = acceleratorMemory;
        if (from.ReceivedBytesPerSecond is { } received)
            sample.ReceivedBytesPerSecond = received;
        if (from.SentBytesPerSecond is { } sent)
            sample.SentBytesPerSecond = sent;
        if (from.TemperatureCelsius is { } temperature)
            sample.TemperatureCelsius = temperature;
        if (from.PowerWatts is { } power)
            sample.PowerWatts = power;
        if (from.BatteryCharge is { } battery)
            sample.BatteryCharge = battery;
        return new V1.ResourceReport
        {
            AgentId = report.AgentId,
            SequenceNumber = report.SequenceNumber,
            Timestamp = report.Timestamp.ToTimestamp(),
            Resources = sample,
            LoadedPartitions = report.LoadedPartitions,
            PendingExecutions = report.PendingExecutions,
        };
    }

    public static ResourceReport ToReport(this V1.ResourceReport message)
    {
        V1.ResourceSample sample = message.Resources ?? new V1.ResourceSample();
        return new ResourceReport
        {
            AgentId = message.AgentId,
            SequenceNumber = message.SequenceNumber,
            Timestamp = message.Timestamp?.ToDateTimeOffset() ?? throw Missing("a report's timestamp"),
            Resources = new ResourceSample
            {
                HostCpuLoad = sample.HasHostCpuLoad ? sample.HostCpuLoad : null,
                ProcessCpuLoad = sample.HasProcessCpuLoad ? sample.ProcessCpuLoad : null,
                AvailableMemoryBytes = sample.HasAvailableMemoryBytes ? sample.AvailableMemoryBytes : null,
                ProcessMemoryBytes = sample.HasProcessMemoryBytes ? sample.ProcessMemoryBytes : null,
                AcceleratorLoad = sample.HasAcceleratorLoad ? sample.AcceleratorLoad : null,
                AcceleratorAvailableMemoryBytes = sample.HasAcceleratorAvailableMemoryBytes ? sample.AcceleratorAvailableMemoryBytes : null,
                ReceivedBytesPerSecond = sample.HasReceivedBytesPerSecond ? sample.ReceivedBytesPerSecond : null,
                SentBytesPerSecond = sample.HasSentBytesPerSecond ? sample.SentBytesPerSecond : null,
                TemperatureCelsius = sample.HasTemperatureCelsius ? sample.TemperatureCelsius : null,
                PowerWatts = sample.HasPowerWatts ? sample.PowerWatts : null,
                BatteryCharge = sample.HasBatteryCharge ? sample.BatteryCharge : null,
            },
            LoadedPartitions = message.LoadedPartitions,
            PendingExecutions = message.PendingExecutions,
        };
    }

    public static V1.Blob ToMessage(this BlobReference blob)
    {
        byte[] hash = new byte[ContentHash.ByteCount];
        blob.Hash.CopyTo(hash);
        return new V1.Blob { Hash = UnsafeByteOperations.UnsafeWrap(hash), ByteCount = blob.ByteCount };
    }

    public static BlobReference ToBlob(this V1.Blob message) => message.Hash.Length == ContentHash.ByteCount && message.ByteCount >= 0
        ? new BlobReference(new ContentHash(message.Hash.Span), message.ByteCount)
        : throw new EdgeSplitException(EdgeSplitError.ProtocolViolation, "A blob of a partition has no hash of 32 bytes or a negative length.");

    public static V1.TensorInfo ToMessage(this TensorInfo info)
    {
        var message = new V1.TensorInfo { Name = info.Name, ElementType = (V1.ElementType)info.ElementType };
        if (info.Dimensions.IsDefault)
            return message;
        message.Dimensions = new V1.Dimensions();
        foreach (Dimension dimension in info.Dimensions)
        {
            var one = new V1.Dimension();
            if (dimension.Size is { } size)
                one.Size = size;
            if (dimension.Symbol is { } symbol)
                one.Symbol = symbol;
            message.Dimensions.Dimensions_.Add(one);
        }
        return message;
    }

    public static TensorInfo ToInfo(this V1.TensorInfo message)
    {
        if (message.Dimensions is null)
            return new TensorInfo(message.Name, (TensorElementType)message.ElementType, default);
        if (message.Dimensions.Dimensions_.Count > MaxRank)
            throw new EdgeSplitException(EdgeSplitError.ProtocolViolation, $"'{message.Name}' has {message.Dimensions.Dimensions_.Count} dimensions; at most {MaxRank} are taken.");
        ImmutableArray<Dimension> dimensions =
        [
            .. message.Dimensions.Dimensions_.Select(static dimension =>
                new Dimension(dimension.HasSize ? dimension.Size : null, dimension.HasSymbol ? dimension.Symbol : null)),
        ];
        return new TensorInfo(message.Name, (TensorElementType)message.ElementType, dimensions);
    }

    public static PartitionLoaded ToLoaded(this V1.PartitionLoaded message) =>
        new(message.PartitionId, message.LoadTime.ToTime(), message.ReceivedBytes);

    public static V1.PartitionLoaded ToMessage(this PartitionLoaded loaded) =>
        new() { PartitionId = loaded.PartitionId, LoadTime = loaded.LoadTime.ToDuration(), ReceivedBytes = loaded.ReceivedBytes };

    /// <summary>A duration that may be absent.</summary>
    public static TimeSpan ToTime(this Duration? duration) => duration?.ToTimeSpan() ?? TimeSpan.Zero;

    private static V1.Device ToMessage(this Device device) => new()
    {
        Id = device.Id,
        FlopsPerSecond = device.FlopsPerSecond,
        MemoryBytesPerSecond = device.MemoryBytesPerSecond,
        LayerOverheadSeconds = device.LayerOverheadSeconds,
        MemoryBytes = device.MemoryBytes,
        CurrentLoad = device.CurrentLoad,
        AllowedLoad = device.AllowedLoad,
        IdleWatts = device.IdleWatts,
        ActiveWatts = device.ActiveWatts,
        ConcurrentStages = device.ConcurrentStages,
        HasSharedInterface = device.HasSharedInterface,
        RunsLayers = device.RunsLayers,
        IsCoordinator = device.IsCoordinator,
        Origin = (V1.CostOrigin)device.Origin,
    };

    private static Device ToDevice(this V1.Device message) => new()
    {
        Id = message.Id,
        FlopsPerSecond = message.FlopsPerSecond,
        MemoryBytesPerSecond = message.MemoryBytesPerSecond,
        LayerOverheadSeconds = message.LayerOverheadSeconds,
        MemoryBytes = message.MemoryBytes,
        CurrentLoad = message.CurrentLoad,
        AllowedLoad = message.AllowedLoad,
        IdleWatts = message.IdleWatts,
        ActiveWatts = message.ActiveWatts,
        ConcurrentStages = message.ConcurrentStages,
        HasSharedInterface = message.HasSharedInterface,
        RunsLayers = message.RunsLayers,
        IsCoordinator = message.IsCoordinator,
        Origin = (CostOrigin)message.Origin,
    };

    private static EdgeSplitException Missing(string what) =>
        new(EdgeSplitError.ProtocolViolation, $"The other side does not keep to edgesplit.v1: {what} is missing.");
}
