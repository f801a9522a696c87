// Shows a partitioner of one's own: it cuts a model in two where the fewest bytes cross. Its plan is compared with the
// default partitioner's, and then run.
using CustomPartitioner;
using EdgeSplit.Agents;
using EdgeSplit.Coordination;
using EdgeSplit.ModelZoo;
using EdgeSplit.Onnx;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Onnx.Verification;
using EdgeSplit.Partitioning;
using EdgeSplit.Tensors;
using Spectre.Console;

DirectoryInfo folder = Directory.CreateTempSubdirectory("edgesplit-partitioner-");
try
{
    string path = Path.Combine(folder.FullName, "mobilenetv2.onnx");
    Zoo.Get("mobilenetv2").Write(path);

    // Optimizations off: the parts then give what the whole gives, bit for bit.
    var runtime = new OnnxPartitionRuntime(new OnnxRuntimeOptions { IntraOpThreads = 1, Optimization = GraphOptimization.Off });
    await using var coordinator = new Coordinator(new OnnxModelFormat());
    await coordinator.AddAgentAsync(new EdgeAgent("camera", new SlowedPartitionRuntime(runtime, 2)));
    await coordinator.AddAgentAsync(new EdgeAgent("gateway", runtime));

    using OnnxModel model = OnnxModel.Open(path);
    PartitionProblem problem = await coordinator.CreateProblemAsync(model.Graph);
    var table = new Table { Title = new TableTitle($"{model.Graph.Name}: {model.Graph.Layers.Length} layers, {CutPoints.FindAll(model.Graph).Length} legal cuts") };
    table.AddColumns("partitioner", "stages", "KiB moved", "latency", "a result every", "objective");
    foreach (IPartitioner partitioner in new IPartitioner[] { new AutoPartitioner(), new FewestBytesPartitioner() })
    {
        PartitionPlan plan = partitioner.Partition(problem, CancellationToken.None);
        table.AddRow(
            plan.Partitioner,
            string.Join(" -> ", plan.Stages.Select(stage => $"{problem.Fleet.Devices[stage.Device].Id} ({stage.Layers.Length} layers)")),
            $"{plan.Cost.TransferredBytes / 1024.0:0}",
            $"{plan.Cost.LatencySeconds * 1000:0.0} ms",
            $"{plan.Cost.BottleneckSeconds * 1000:0.0} ms",
            $"{plan.Objective:g4}");
    }
    AnsiConsole.Write(table);

    await using Deployment deployment = await coordinator.DeployAsync(path, new DeploymentOptions { Partitioner = new FewestBytesPartitioner() });
    IReadOnlyDictionary<string, Tensor> inputs = RandomTensors.ForInputs(deployment.Inputs, seed: 1);
    using IPartitionExecutor unsplit = await runtime.LoadModelAsync(path);
    IReadOnlyDictionary<string, Tensor> expected = unsplit.Execute(inputs, CancellationToken.None);
    using FinalResult result = await deployment.InferAsync(inputs);
    bool same = SplitComparison.Of(expected, result.Outputs).IsBitExact;
    AnsiConsole.MarkupLineInterpolated($"{deployment.Plan.Partitioner}: {result.Stages.Length} stages, the unsplit model's result: [bold]{(same ? "bit for bit" : "NOT the same")}[/]");
    foreach (Tensor tensor in (Tensor[])[.. inputs.Values, .. expected.Values])
        tensor.Dispose();
    return same ? 0 : 1;
}
finally
{
    folder.Delete(recursive: true);
}
