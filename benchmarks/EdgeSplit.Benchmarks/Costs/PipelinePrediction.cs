using System.Diagnostics;
using System.Globalization;
using EdgeSplit.Coordination;
using EdgeSplit.Costs;
using EdgeSplit.ModelZoo;
using EdgeSplit.Onnx;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Onnx.Runtime.Profiling;
using EdgeSplit.Partitioning;
using EdgeSplit.Tensors;

namespace EdgeSplit.Benchmarks.Costs;

/// <summary>
/// Predicted against measured latency and throughput of zoo models that are split over two agents, processes of one core each:
/// from a profile alone, and corrected by some requests before those that are measured.
/// </summary>
internal static class PipelinePrediction
{
    private const int InFlight = 8;
    private const int Rehearsals = 20;
    private static readonly string[] DefaultModels = ["resnet18", "resnet50", "mobilenetv2", "inception", "densenet121", "yolo", "bert-base", "bert-mini"];
    private static readonly TimeSpan TimeForEach = TimeSpan.FromSeconds(2.5);

    public static async Task<int> RunAsync(string[] names)
    {
        Console.WriteLine("| model | stages | latency ms: predicted | measured | error | corrected error | requests/s: predicted | measured | error | corrected error |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
        await OneCoreLoad.ForEachAsync(names.Length > 0 ? names : DefaultModels, CompareAsync);
        return 0;
    }

    private static async Task CompareAsync(ZooEntry entry, string folder, OneCoreAgent[] agents)
    {
        string path = Path.Combine(folder, "model.onnx");
        entry.Write(path);
        var modelOptions = new OnnxModelOptions { FreeDimensions = entry.TypicalDimensions };
        using OnnxModel model = OnnxModel.Open(path, modelOptions);
        IReadOnlyDictionary<string, Tensor> inputs = entry.CreateInputs();
        var runtime = new OnnxPartitionRuntime(new OnnxRuntimeOptions { IntraOpThreads = 1 });
        LayerProfile profile = await new LayerProfiler(runtime, new LayerProfilerOptions { Duration = TimeForEach }).ProfileAsync(model, inputs, null, CancellationToken.None);

        await using var coordinator = new Coordinator(new OnnxModelFormat(modelOptions), new CoordinatorOptions { CostModel = WeightedCostModel.ForObjective(PlanObjective.Throughput) });
        await OneCoreLoad.ConnectAsync(coordinator, agents);
        PartitionProblem problem = await coordinator.CreateProblemAsync(model.Graph);
        problem = problem with
        {
            MeasuredLayerSeconds = await coordinator.ProfileAsync(model, inputs, new AgentProfilerOptions { Duration = TimeForEach, RelativeLayerSeconds = profile.LayerSeconds }),
        };
        PartitionPlan plan = new PipelinePartitioner().Partition(problem, CancellationToken.None);
        await using Deployment deployment = await coordinator.DeployAsync(path, new DeploymentOptions { Plan = plan });

        // Alone a stage runs faster than beside others, so what is predicted for either is corrected by requests of its kind.
        for (int i = 0; i < Rehearsals; i++)
            (await deployment.InferAsync(inputs)).Dispose();
        double correctedLatency = Corrected().LatencySeconds;
        double latency = await LatencyAsync(deployment, inputs);
        await Task.WhenAll(Enumerable.Range(0, Rehearsals).Select(async _ => (await deployment.InferAsync(inputs)).Dispose()));
        double correctedThroughput = 1 / Corrected().BottleneckSeconds;
        double throughput = await ThroughputAsync(deployment, inputs);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {entry.Name} | {plan.Stages.Length} | {plan.Cost.LatencySeconds * 1e3:F2} | {latency * 1e3:F2} | {Error(plan.Cost.LatencySeconds, latency)} | {Error(correctedLatency, latency)} | {1 / plan.Cost.BottleneckSeconds:F1} | {throughput:F1} | {Error(1 / plan.Cost.BottleneckSeconds, throughput)} | {Error(correctedThroughput, throughput)} |"));

        PlanCost Corrected() => new PlanEvaluator(deployment.Corrections.Apply(problem)).Evaluate(plan.Assignment.AsSpan()).Cost;
    }

    private static string Error(double predicted, double measured) => string.Create(CultureInfo.InvariantCulture, $"{(predicted / measured) - 1:+0.0%;-0.0%}");

    /// <summary>The median seconds of requests one after the other.</summary>
    private static async Task<double> LatencyAsync(Deployment deployment, IReadOnlyDictionary<string, Tensor> inputs)
    {
        var seconds = new List<double>();
        for (long start = Stopwatch.GetTimestamp(); seconds.Count < 10 || Stopwatch.GetElapsedTime(start) < TimeForEach;)
        {
            using FinalResult result = await deployment.InferAsync(inputs);
            seconds.Add(result.Latency.TotalSeconds);
        }
        seconds.Sort();
        return seconds[seconds.Count / 2];
    }

    /// <summary>Requests per second with several in flight.</summary>
    private static async Task<double> ThroughputAsync(Deployment deployment, IReadOnlyDictionary<string, Tensor> inputs)
    {
        (int ended, double seconds) = await OneCoreLoad.RunAsync(deployment, inputs, InFlight, TimeForEach);
        return ended / seconds;
    }
}
