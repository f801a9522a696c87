using EdgeSplit.Agents;
using EdgeSplit.Devices;
using EdgeSplit.Monitoring;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;

namespace EdgeSplit.Benchmarks.Transport;

/// <summary>An agent that computes nothing: it answers with a tensor that it keeps, so that only the transport is measured.</summary>
internal sealed class EchoAgent(Tensor answer, string id = "echo") : IEdgeAgent
{
    private readonly Dictionary<string, Tensor> _answer = new() { ["y"] = answer };

    public string Id => id;

    public ValueTask<AgentDescription> DescribeAsync(CancellationToken cancellationToken) => ValueTask.FromResult(
        new AgentDescription { Device = new Device { Id = Id }, Runtime = "echo", ExecutionProvider = "CPU" });

    public ValueTask<ResourceReport> ReportAsync(CancellationToken cancellationToken) => ValueTask.FromResult(
        new ResourceReport { AgentId = Id, SequenceNumber = 1, Timestamp = DateTimeOffset.UnixEpoch, Resources = new ResourceSample() });

    public ValueTask<PartitionLoaded> LoadAsync(ModelPartitionRequest request, IBlobSource blobs, CancellationToken cancellationToken) =>
        ValueTask.FromResult(new PartitionLoaded(request.Partition.Id, TimeSpan.Zero, 0));

    // The tensor is wrapped memory: the server's disposal of the result leaves it as it is, so each answer wraps it anew.
    public ValueTask<PartialResult> ExecuteAsync(InferenceRequest request, CancellationToken cancellationToken) => ValueTask.FromResult(
        new PartialResult(
            request.RequestId,
            request.PartitionId,
            new Dictionary<string, Tensor> { ["y"] = Tensor.Wrap(answer.ElementType, answer.Shape, _answer["y"].Bytes) },
            TimeSpan.Zero,
            TimeSpan.Zero));

    public ValueTask UnloadAsync(string partitionId, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask<TimeSpan> ProbeAsync(int payloadByteCount, CancellationToken cancellationToken) => ValueTask.FromResult(TimeSpan.Zero);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
