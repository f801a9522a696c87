using EdgeSplit.Agents;
using EdgeSplit.Coordination;
using EdgeSplit.Coordination.Batching;
using EdgeSplit.Devices;
using EdgeSplit.Onnx;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Partitioning;
using EdgeSplit.Tensors;
using EdgeSplit.Tests;

namespace EdgeSplit.ModelZoo.Tests;

/// <summary>Requests that are joined, over two agents with ONNX Runtime, give what each gives by itself in the unsplit model.</summary>
public sealed class BatchingTests
{
    private const double Tolerance = 1e-3;
    private const int Requests = 6;

    [TestCase("mobilenetv2")]
    [TestCase("bert-tiny")]
    [CancelAfter(120_000)]
    public async Task Infer_joined_requests_equal_each_by_itself(string name, CancellationToken cancellationToken)
    {
        using var folder = new TemporaryFolder();
        ZooEntry entry = Zoo.Get(name);
        entry.Write(folder["model.onnx"], cancellationToken: cancellationToken);
        var runtime = new OnnxPartitionRuntime(new OnnxRuntimeOptions { IntraOpThreads = 1 });
        await using var coordinator = new Coordinator(new OnnxModelFormat(new OnnxModelOptions { FreeDimensions = entry.TypicalDimensions }), new CoordinatorOptions
        {
            Batching = new BatchingOptions { MaxBatch = Requests, MaxDelay = TimeSpan.FromSeconds(30) },
        });
        foreach (string id in new[] { "a", "b" })
            await coordinator.AddAgentAsync(new EdgeAgent(id, runtime, new EdgeAgentOptions { Device = new Device { Id = id } }), cancellationToken);
        await using Deployment deployment = await coordinator.DeployAsync(folder["model.onnx"], new DeploymentOptions { Partitioner = new Halves() }, cancellationToken);
        Assert.That(deployment.Plan.Stages, Has.Length.EqualTo(2));
        using var whole = new ModelSession(folder["model.onnx"]);

        for (int round = 0; round < 2; round++)
        {
            int seed = round * Requests;
            await Task.WhenAll(Enumerable.Range(seed, Requests).Select(each => CheckAsync(deployment, entry, each, whole, cancellationToken)));
            Assert.That(deployment.IsBatching, "Joined requests were found to differ.");
        }
    }

    private static async Task CheckAsync(Deployment deployment, ZooEntry entry, int seed, ModelSession whole, CancellationToken cancellationToken)
    {
        IReadOnlyDictionary<string, Tensor> inputs = entry.CreateInputs(seed);
        using FinalResult result = await deployment.InferAsync(inputs, cancellationToken);
        foreach (Tensor input in inputs.Values)
            input.Dispose();
        IReadOnlyDictionary<string, (long[] Shape, float[] Values)> expected;
        lock (whole)
            expected = whole.Run(entry, seed);
        foreach ((string name, (long[] shape, float[] values)) in expected)
        {
            Assert.That(result.Outputs[name].Shape.Dimensions, Is.EqualTo(shape));
            float[] actual = result.Outputs[name].AsSpan<float>().ToArray();
            Assert.That(values.Zip(actual, static (a, b) => Math.Abs(a - b)).Max(), Is.LessThanOrEqualTo(Tolerance * values.Max(Math.Abs)), name);
        }
    }

    /// <summary>The first half of the layers on one device, the rest on the other.</summary>
    private sealed class Halves : IPartitioner
    {
        public string Name => "halves";

        public PartitionPlan Partition(PartitionProblem problem, CancellationToken cancellationToken) =>
            new PlanEvaluator(problem).Create([.. problem.Graph.Layers.Select(layer => 2 * layer.Index < problem.Graph.Layers.Length ? 0 : 1)], Name);
    }
}
