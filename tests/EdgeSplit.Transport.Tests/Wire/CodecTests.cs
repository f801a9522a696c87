using System.Buffers;
using System.Collections.Immutable;
using System.Reflection;
using EdgeSplit.Agents;
using EdgeSplit.Devices;
using EdgeSplit.Models;
using EdgeSplit.Monitoring;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;
using EdgeSplit.Transport.Messages;

namespace EdgeSplit.Transport.Tests.Wire;

public sealed class CodecTests
{
    private static readonly Device FullDevice = new()
    {
        Id = "d",
        FlopsPerSecond = 1.5e9,
        MemoryBytesPerSecond = 2.5e9,
        LayerOverheadSeconds = 3e-5,
        MemoryBytes = 1L << 33,
        CurrentLoad = 0.25,
        AllowedLoad = 0.75,
        IdleWatts = 1.25,
        ActiveWatts = 7.5,
        ConcurrentStages = 2,
        IsCoordinator = true,
        Origin = CostOrigin.Profiled,
        HasSharedInterface = false,
        RunsLayers = false,
    };

    private static readonly AgentDescription FullDescription = new()
    {
        Device = FullDevice,
        Runtime = "r",
        ExecutionProvider = "e",
        HostName = "h",
        Platform = "p",
        ProcessorCount = 3,
        Address = "10.0.0.1:7311",
    };

    private static readonly ResourceSample FullSample = new()
    {
        HostCpuLoad = 0.1,
        ProcessCpuLoad = 0.2,
        AvailableMemoryBytes = 3,
        ProcessMemoryBytes = 4,
        AcceleratorLoad = 0.5,
        AcceleratorAvailableMemoryBytes = 6,
        ReceivedBytesPerSecond = 7,
        SentBytesPerSecond = 8,
        TemperatureCelsius = 9,
        PowerWatts = 10,
        BatteryCharge = 0.11,
    };

    private static readonly ResourceReport FullReport = new()
    {
        AgentId = "a",
        SequenceNumber = 5,
        Timestamp = new DateTimeOffset(2026, 2, 3, 4, 5, 6, 7, TimeSpan.FromHours(-3)),
        Resources = FullSample,
        LoadedPartitions = 2,
        PendingExecutions = 3,
    };

    // A property that someone adds to a contract and forgets here would silently keep its default on the other side.
    [Test]
    public void Samples_of_these_tests_set_every_property()
    {
        AssertNothingIsDefault(FullDevice, new Device { Id = "" });
        AssertNothingIsDefault(FullDescription, new AgentDescription { Device = new Device { Id = "" }, Runtime = "", ExecutionProvider = "" });
        AssertNothingIsDefault(FullSample, new ResourceSample());
        AssertNothingIsDefault(
            FullReport, new ResourceReport { AgentId = "", SequenceNumber = 0, Timestamp = default, Resources = new ResourceSample() });
    }

    [Test]
    public void Response_every_property_survives()
    {
        Assert.Multiple(() =>
        {
            Assert.That(((DescribeReply)RoundTrip(new DescribeReply(FullDescription))).Description, Is.EqualTo(FullDescription));
            ResourceReport report = ((ReportReply)RoundTrip(new ReportReply(FullReport))).Report;
            Assert.That(report, Is.EqualTo(FullReport));
            Assert.That(report.Timestamp.Offset, Is.EqualTo(FullReport.Timestamp.Offset));
            Assert.That(
                ((ReportReply)RoundTrip(new ReportReply(FullReport with { Resources = new ResourceSample() }))).Report.Resources,
                Is.EqualTo(new ResourceSample()));
        });
    }

    [Test]
    public void Partition_every_property_survives()
    {
        byte[] skeleton = [1, 2, 3];
        var partition = new ModelPartition
        {
            Skeleton = skeleton,
            Blobs = [new BlobReference(ContentHash.Of([1]), 1), new BlobReference(ContentHash.Of([]), long.MaxValue)],
            Inputs = [new TensorInfo("x", TensorElementType.Float, [new Dimension(3), new Dimension(null, "batch"), new Dimension(null)])],
            Outputs =
            [
                new TensorInfo("y", TensorElementType.String, []),
                new TensorInfo("z", TensorElementType.Undefined, default(ImmutableArray<Dimension>)),
            ],
        };

        ModelPartitionRequest back = PartitionCodec.Decode(PartitionCodec.Encode(new ModelPartitionRequest("model", partition) { IsUrgent = true }));

        Assert.That(back.ModelName, Is.EqualTo("model"));
        Assert.That(back.IsUrgent);
        Assert.That(back.Partition.Id, Is.EqualTo(partition.Id));
        Assert.That(back.Partition.Blobs, Is.EqualTo(partition.Blobs));
        Assert.That(back.Partition.Inputs[0].Dimensions, Is.EqualTo(partition.Inputs[0].Dimensions));
        Assert.That(back.Partition.Outputs[0].Dimensions, Is.Empty);
        Assert.That(back.Partition.Outputs[1].Dimensions.IsDefault);
    }

    private static Payload RoundTrip(Payload payload)
    {
        var buffer = new ArrayBufferWriter<byte>();
        new MessageHead(payload, []).WriteResponse(buffer);
        return MessageHead.ReadResponse(new ReadOnlySequence<byte>(buffer.WrittenMemory), 0).Payload;
    }

    private static void AssertNothingIsDefault<T>(T full, T defaults)
    {
        foreach (PropertyInfo property in typeof(T).GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            Assert.That(
                property.GetValue(full), Is.Not.EqualTo(property.GetValue(defaults)),
                $"{typeof(T).Name}.{property.Name}: set it here, and see that the wire format carries it.");
        }
    }
}
