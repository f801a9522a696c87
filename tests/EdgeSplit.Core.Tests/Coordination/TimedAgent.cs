using EdgeSplit.Agents;
using EdgeSplit.Devices;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;

namespace EdgeSplit.Tests.Coordination;

/// <summary>Runs one execution after the other, each of which takes a time of the given clock, and counts them.</summary>
internal sealed class TimedAgent(string id, TimeSpan each, TimeProvider time) : IEdgeAgent
{
    private readonly Dictionary<string, string[]> _outputs = [];
    private readonly SemaphoreSlim _device = new(1);
    private int _underWay;
    private int _running;

    public string Id => id;

    /// <summary>Executions that run now: 0 or 1.</summary>
    public int Running => Volatile.Read(ref _running);

    /// <summary>The most executions that ran or waited here at a time.</summary>
    public int MostUnderWay { get; private set; }

    public ValueTask<AgentDescription> DescribeAsync(CancellationToken cancellationToken) =>
        new(new AgentDescription { Device = new Device { Id = id }, Runtime = "timed", ExecutionProvider = "none" });

    public ValueTask<ResourceReport> ReportAsync(CancellationToken cancellationToken) => new(new ResourceReport
    {
        AgentId = id,
        SequenceNumber = 1,
        Timestamp = time.GetUtcNow(),
        Resources = new EdgeSplit.Monitoring.ResourceSample(),
    });

    public ValueTask<PartitionLoaded> LoadAsync(ModelPartitionRequest request, IBlobSource blobs, CancellationToken cancellationToken)
    {
        lock (_outputs)
            _outputs[request.Partition.Id] = [.. request.Partition.Outputs.Select(static output => output.Name)];
        return new(new PartitionLoaded(request.Partition.Id, TimeSpan.Zero, 0));
    }

    public async ValueTask<PartialResult> ExecuteAsync(InferenceRequest request, CancellationToken cancellationToken)
    {
        int underWay = Interlocked.Increment(ref _underWay);
        lock (_outputs)
            MostUnderWay = Math.Max(MostUnderWay, underWay);
        await _device.WaitAsync(cancellationToken);
        try
        {
            Task running = Task.Delay(each, time, cancellationToken);
            Interlocked.Increment(ref _running);
            await running;
            return new PartialResult(
                request.RequestId,
                request.PartitionId,
                _outputs[request.PartitionId].ToDictionary(static name => name, static _ => Tensor.Create<float>([1], new TensorShape(1))),
                each,
                TimeSpan.Zero);
        }
        finally
        {
            Interlocked.Decrement(ref _running);
            Interlocked.Decrement(ref _underWay);
            _device.Release();
        }
    }

    public ValueTask UnloadAsync(string partitionId, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask<TimeSpan> ProbeAsync(int payloadByteCount, CancellationToken cancellationToken) => new(TimeSpan.Zero);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
