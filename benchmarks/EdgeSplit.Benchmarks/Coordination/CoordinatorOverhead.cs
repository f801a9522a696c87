using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using EdgeSplit.Agents;
using EdgeSplit.Coordination;
using EdgeSplit.Costs;
using EdgeSplit.Devices;
using EdgeSplit.ModelZoo;
using EdgeSplit.Onnx;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Partitioning;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;

namespace EdgeSplit.Benchmarks.Coordination;

/// <summary>
/// What the coordinator itself costs a request: the real coordinator over agents in this process that answer at once with tensors that
/// they keep. Time and memory over a deployment of one stage is what a request costs, what each stage adds is what a stage costs.
/// </summary>
internal static class CoordinatorOverhead
{
    private const int Requests = 20_000;
    private const int Rounds = 9;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(2);

    public static async Task<int> RunAsync()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("edgesplit-benchmark-");
        try
        {
            ZooEntry entry = Zoo.Get("bert-tiny");
            string path = Path.Combine(folder.FullName, "model.onnx");
            entry.Write(path);
            Console.WriteLine("| stages | µs per request | µs per request and stage | bytes per request | bytes per request and stage |");
            Console.WriteLine("| ---: | ---: | ---: | ---: | ---: |");
            foreach (int stages in new[] { 1, 2, 4, 8 })
                await MeasureAsync(path, entry, stages);
            return 0;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task MeasureAsync(string path, ZooEntry entry, int stages)
    {
        var modelOptions = new OnnxModelOptions { FreeDimensions = entry.TypicalDimensions, Grouping = LayerGrouping.Operators };
        await using var coordinator = new Coordinator(new OnnxModelFormat(modelOptions), new CoordinatorOptions
        {
            Partitioner = new LayerwisePartitioner(),
            CostModel = WeightedCostModel.ForObjective(PlanObjective.Throughput),
        });
        for (int i = 0; i < stages; i++)
            await coordinator.AddAgentAsync(new ImmediateAgent($"agent-{i}"));
        await using Deployment deployment = await coordinator.DeployAsync(path);
        IReadOnlyDictionary<string, Tensor> inputs = RandomTensors.ForInputs(deployment.Inputs, 1, entry.TypicalDimensions);

        // Until the runtime has compiled all of it with all optimisations.
        for (long began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < WarmUp;)
            (await deployment.InferAsync(inputs)).Dispose();
        double best = double.PositiveInfinity;
        long bytes = long.MaxValue;
        for (int round = 0; round < Rounds; round++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            long started = Stopwatch.GetTimestamp();
            for (int i = 0; i < Requests; i++)
                (await deployment.InferAsync(inputs)).Dispose();
            best = Math.Min(best, Stopwatch.GetElapsedTime(started).TotalMicroseconds / Requests);
            bytes = Math.Min(bytes, (GC.GetTotalAllocatedBytes(precise: true) - before) / Requests);
        }
        int count = deployment.Plan.Stages.Length;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"| {count} | {best:0.00} | {best / count:0.00} | {bytes} | {bytes / count} |"));
    }

    /// <summary>Answers at once with the outputs that its partitions have, as tensors of one element.</summary>
    private sealed class ImmediateAgent(string id) : IEdgeAgent
    {
        private ImmutableDictionary<string, IReadOnlyDictionary<string, Tensor>> _outputs = ImmutableDictionary<string, IReadOnlyDictionary<string, Tensor>>.Empty;

        public string Id => id;

        public ValueTask<AgentDescription> DescribeAsync(CancellationToken cancellationToken) =>
            ValueTask.FromResult(new AgentDescription { Device = new Device { Id = id }, Runtime = "none", ExecutionProvider = "none" });

        public ValueTask<ResourceReport> ReportAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<PartitionLoaded> LoadAsync(ModelPartitionRequest request, IBlobSource blobs, CancellationToken cancellationToken)
        {
            Dictionary<string, Tensor> outputs = request.Partition.Outputs.ToDictionary(
                static output => output.Name, static _ => Tensor.Wrap(TensorElementType.Float, new TensorShape(1), new byte[sizeof(float)]));
            ImmutableInterlocked.TryAdd(ref _outputs, request.Partition.Id, outputs);
            return ValueTask.FromResult(new PartitionLoaded(request.Partition.Id, TimeSpan.Zero, 0));
        }

        public ValueTask<PartialResult> ExecuteAsync(InferenceRequest request, CancellationToken cancellationToken) => ValueTask.FromResult(
            new PartialResult(request.RequestId, request.PartitionId, _outputs[request.PartitionId], TimeSpan.Zero, TimeSpan.Zero));

        public ValueTask UnloadAsync(string partitionId, CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask<TimeSpan> ProbeAsync(int payloadByteCount, CancellationToken cancellationToken) => ValueTask.FromResult(TimeSpan.Zero);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
