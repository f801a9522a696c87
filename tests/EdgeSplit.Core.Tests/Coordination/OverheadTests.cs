using EdgeSplit.Agents;
using EdgeSplit.Coordination;
using EdgeSplit.Devices;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;
using EdgeSplit.Testing.Fakes;

namespace EdgeSplit.Tests.Coordination;

// Alone: tests that listen to traces would make every request allocate its spans.
[NonParallelizable]
public sealed class OverheadTests
{
    private const int Stages = 5;
    private const int Requests = 200;

    [Test]
    public async Task Infer_allocates_at_most_a_kibibyte_per_stage()
    {
        FakeModel model = FakeModelBuilder.Chain("m", Stages);
        await using var coordinator = new Coordinator(new FakeModelFormat(model), Cluster.Defaults);
        await coordinator.AddAgentAsync(new ImmediateAgent("a"));
        await coordinator.AddAgentAsync(new ImmediateAgent("b"));
        Deployment deployment = await coordinator.DeployAsync("m");
        IReadOnlyDictionary<string, Tensor> inputs = model.RandomInputs(0);
        Run();
        // The agents answer at once, so all of it runs on this thread.
        long before = GC.GetAllocatedBytesForCurrentThread();
        Run();
        long perRequest = (GC.GetAllocatedBytesForCurrentThread() - before) / Requests;
        Assert.That(perRequest, Is.InRange(1, Stages * 1024));

        void Run()
        {
            for (int i = 0; i < Requests; i++)
            {
                ValueTask<FinalResult> request = deployment.InferAsync(inputs);
                Assert.That(request.IsCompletedSuccessfully);
                request.Result.Dispose();
            }
        }
    }

    /// <summary>Answers at once with the same tensors, so that what is measured is the coordinator alone.</summary>
    private sealed class ImmediateAgent(string id) : IEdgeAgent
    {
        private readonly Dictionary<string, IReadOnlyDictionary<string, Tensor>> _outputs = [];

        public string Id => id;

        public ValueTask<AgentDescription> DescribeAsync(CancellationToken cancellationToken) =>
            new(new AgentDescription { Device = new Device { Id = id }, Runtime = "none", ExecutionProvider = "none" });

        public ValueTask<ResourceReport> ReportAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<PartitionLoaded> LoadAsync(ModelPartitionRequest request, IBlobSource blobs, CancellationToken cancellationToken)
        {
            lock (_outputs)
            {
                _outputs[request.Partition.Id] = request.Partition.Outputs.ToDictionary(
                    static output => output.Name, static _ => Tensor.Wrap(TensorElementType.Float, new TensorShape(1), new byte[4]));
            }
            return new(new PartitionLoaded(request.Partition.Id, TimeSpan.Zero, 0));
        }

        public ValueTask<PartialResult> ExecuteAsync(InferenceRequest request, CancellationToken cancellationToken) =>
            new(new PartialResult(request.RequestId, request.PartitionId, _outputs[request.PartitionId], TimeSpan.Zero, TimeSpan.Zero));

        public ValueTask UnloadAsync(string partitionId, CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask<TimeSpan> ProbeAsync(int payloadByteCount, CancellationToken cancellationToken) => new(TimeSpan.Zero);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
