// Splits ResNet-18 over three agents of different speeds in this process, runs it, and compares with the unsplit model.
using System.Diagnostics;
using EdgeSplit.Agents;
using EdgeSplit.Coordination;
using EdgeSplit.Costs;
using EdgeSplit.ModelZoo;
using EdgeSplit.Onnx;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Onnx.Verification;
using EdgeSplit.Partitioning;
using EdgeSplit.Tensors;
using Spectre.Console;

const int Requests = 60;
const int InFlight = 9;

DirectoryInfo folder = Directory.CreateTempSubdirectory("edgesplit-quickstart-");
try
{
    string model = Path.Combine(folder.FullName, "resnet18.onnx");
    Zoo.Get("resnet18").Write(model);

    // Every agent has one thread. The gateway is as fast as this machine, the others are made to look slower.
    var runtime = new OnnxPartitionRuntime(new OnnxRuntimeOptions { IntraOpThreads = 1 });
    await using var coordinator = new Coordinator(new OnnxModelFormat(), new CoordinatorOptions
    {
        // Many results per second first; of plans that are about as good, the one that moves fewer bytes.
        CostModel = new WeightedCostModel(new WeightedCostOptions { Load = 1, Bandwidth = 0.05, Latency = 0, Energy = 0 }),
    });
    await coordinator.AddAgentAsync(new EdgeAgent("gateway", runtime));
    await coordinator.AddAgentAsync(new EdgeAgent("camera", new SlowedPartitionRuntime(runtime, 2)));
    await coordinator.AddAgentAsync(new EdgeAgent("sensor", new SlowedPartitionRuntime(runtime, 3)));
    await using Deployment deployment = await coordinator.DeployAsync(model);

    IReadOnlyDictionary<string, Tensor> inputs = RandomTensors.ForInputs(deployment.Inputs, seed: 42);
    using IPartitionExecutor unsplit = await runtime.LoadModelAsync(model);

    // The same answer, to the last digits that graph optimisations leave open.
    IReadOnlyDictionary<string, Tensor> expected = unsplit.Execute(inputs, CancellationToken.None);
    using (FinalResult first = await deployment.InferAsync(inputs))
    {
        SplitComparison comparison = SplitComparison.Of(expected, first.Outputs);
        AnsiConsole.MarkupLineInterpolated($"largest difference from the unsplit model: [bold]{comparison.LargestAbsolute:g3}[/] ({comparison.LargestRelative:g3} relative)");
        if (comparison.LargestRelative > 1e-4)
            return 1;
    }

    // Throughput: the fastest device alone, one request after the other, against the three with several in flight.
    double alone = PerSecond(() =>
    {
        for (int request = 0; request < Requests; request++)
            Dispose(unsplit.Execute(inputs, CancellationToken.None));
    });
    // The plan may change while requests run; what a stage took belongs to the plan that it was a stage of.
    var timings = new List<(long Epoch, StageTiming Stage)>();
    double split = await PerSecondAsync(async () =>
    {
        int left = Requests;
        await Task.WhenAll(Enumerable.Range(0, InFlight).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Decrement(ref left) >= 0)
            {
                using FinalResult result = await deployment.InferAsync(inputs);
                lock (timings)
                    timings.AddRange(result.Stages.Select(stage => (result.Epoch, stage)));
            }
        })));
    });

    AnsiConsole.Write(PlanTable(deployment.Plan, [.. timings.Where(timing => timing.Epoch == deployment.Epoch).Select(static timing => timing.Stage)]));
    AnsiConsole.MarkupLineInterpolated($"throughput: unsplit on the gateway {alone:0.0} requests/s, split over three agents [bold]{split:0.0}[/] requests/s ({split / alone:0.00} x)");
    Dispose(expected);
    Dispose(inputs);
    return 0;
}
finally
{
    folder.Delete(recursive: true);
}

static Table PlanTable(PartitionPlan plan, IReadOnlyCollection<StageTiming> timings)
{
    var table = new Table { Title = new TableTitle($"{plan.Graph.Name} over {plan.Fleet.Devices.Length} devices") };
    table.AddColumns("stage", "device", "layers", "weights", "bytes out", "predicted", "measured");
    foreach (PlanStage stage in plan.Stages)
    {
        double[] measured = [.. timings.Where(timing => timing.Stage == stage.Index).Select(static timing => timing.Compute.TotalMilliseconds).Order()];
        table.AddRow(
            $"{stage.Index}",
            plan.Fleet.Devices[stage.Device].Id,
            $"{stage.Layers.Length}",
            $"{stage.Layers.SelectMany(layer => plan.Graph.Layers[layer].Weights).Distinct().Sum(weight => plan.Graph.Weights[weight].ByteCount) / 1048576.0:0.0} MiB",
            $"{stage.Outputs.Sum(output => plan.Graph.Activations[output].ByteCount) / 1024.0:0} KiB",
            $"{stage.PredictedSeconds * 1000:0.0} ms",
            measured.Length == 0 ? "not yet" : $"{measured[measured.Length / 2]:0.0} ms");
    }
    return table;
}

static double PerSecond(Action run)
{
    long started = Stopwatch.GetTimestamp();
    run();
    return Requests / Stopwatch.GetElapsedTime(started).TotalSeconds;
}

static async Task<double> PerSecondAsync(Func<Task> run)
{
    long started = Stopwatch.GetTimestamp();
    await run();
    return Requests / Stopwatch.GetElapsedTime(started).TotalSeconds;
}

static void Dispose(IReadOnlyDictionary<string, Tensor> tensors)
{
    foreach (Tensor tensor in tensors.Values)
        tensor.Dispose();
}
