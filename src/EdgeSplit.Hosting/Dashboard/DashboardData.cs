using EdgeSplit.Coordination;
using EdgeSplit.Coordination.Adaptation;
using EdgeSplit.Coordination.Membership;
using EdgeSplit.Monitoring;
using EdgeSplit.Partitioning;

namespace EdgeSplit.Hosting.Dashboard;

/// <summary>What the dashboard's page is told, in the shape that its script reads. Times are seconds, sizes bytes.</summary>
internal static class DashboardData
{
    public static object Device(AgentStatus agent)
    {
        ResourceSample? resources = agent.LatestReport?.Resources;
        return new
        {
            id = agent.Id,
            state = agent.State.ToString(),
            reason = agent.Reason,
            host = agent.Description.HostName,
            platform = agent.Description.Platform,
            runtime = agent.Description.Runtime,
            provider = agent.Description.ExecutionProvider,
            processors = agent.Description.ProcessorCount,
            isCoordinator = agent.Description.Device.IsCoordinator,
            cpu = resources?.HostCpuLoad,
            processCpu = resources?.ProcessCpuLoad,
            memoryAvailable = resources?.AvailableMemoryBytes,
            memoryUsed = resources?.ProcessMemoryBytes,
            temperature = resources?.TemperatureCelsius,
            watts = resources?.PowerWatts,
            battery = resources?.BatteryCharge,
            partitions = agent.LatestReport?.LoadedPartitions,
            pending = agent.LatestReport?.PendingExecutions,
            linkLatency = agent.Link.Latency.TotalSeconds,
            linkBytesPerSecond = double.IsFinite(agent.Link.BytesPerSecond) ? agent.Link.BytesPerSecond : (double?)null,
        };
    }

    public static object Plan(Deployment deployment)
    {
        PartitionPlan plan = deployment.Plan;
        return new
        {
            model = deployment.Name,
            epoch = deployment.Epoch,
            partitioner = plan.Partitioner,
            latency = plan.Cost.LatencySeconds,
            bottleneck = plan.Cost.BottleneckSeconds,
            transferredBytes = plan.Cost.TransferredBytes,
            devices = plan.Fleet.Devices.Select(static device => device.Id),
            assignment = plan.Assignment,
            stages = plan.Stages.Select(stage => new { device = plan.Fleet.Devices[stage.Device].Id, layers = stage.Layers.Length, seconds = stage.PredictedSeconds, share = stage.Share }),
        };
    }

    public static object Graph(Deployment deployment)
    {
        Models.ModelGraph graph = deployment.Plan.Graph;
        return new
        {
            layers = graph.Layers.Select(layer => new
            {
                name = layer.Name,
                kind = layer.Kind,
                floatOperations = layer.FloatOperations,
                weightBytes = layer.Weights.Sum(weight => graph.Weights[weight].ByteCount),
            }),
            edges = graph.Activations
                .Where(static activation => activation.Producer >= 0)
                .SelectMany(static activation => activation.Consumers.Select(consumer => new[] { activation.Producer, consumer, activation.ByteCount })),
        };
    }

    public static object Request(RequestOutcome outcome) => new
    {
        model = outcome.Model,
        epoch = outcome.Epoch,
        started = (outcome.Ended - outcome.Latency - DateTimeOffset.UnixEpoch).TotalSeconds,
        latency = outcome.Latency.TotalSeconds,
        error = outcome.Error,
        stages = outcome.Stages.Select(static stage => new
        {
            stage = stage.Stage,
            device = stage.AgentId,
            started = stage.Started.TotalSeconds,
            total = stage.Total.TotalSeconds,
            compute = stage.Compute.TotalSeconds,
            queue = stage.Queue.TotalSeconds,
        }),
    };

    public static object Decision(RepartitionDecision decision) => new
    {
        at = (decision.Time - DateTimeOffset.UnixEpoch).TotalSeconds,
        model = decision.Model,
        trigger = decision.Trigger.ToString(),
        cause = decision.Cause,
        reason = decision.Reason,
        switched = decision.Switched,
        epoch = decision.Epoch,
        gain = decision.RelativeGain,
        bytesToMove = decision.BytesToMove,
        elapsed = decision.Elapsed.TotalSeconds,
        repetitions = decision.Repetitions,
    };
}
