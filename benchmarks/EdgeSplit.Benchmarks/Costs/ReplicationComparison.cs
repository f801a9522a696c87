using System.Globalization;
using EdgeSplit.Coordination;
using EdgeSplit.Costs;
using EdgeSplit.ModelZoo;
using EdgeSplit.Onnx;
using EdgeSplit.Partitioning;
using EdgeSplit.Tensors;

namespace EdgeSplit.Benchmarks.Costs;

/// <summary>
/// The throughput of one stage on one agent, of copies of it on two that take requests in turn, and of the model split over both; agents are
/// processes of one core each.
/// </summary>
internal static class ReplicationComparison
{
    private const int InFlight = 8;
    private const int Rounds = 3;
    private static readonly string[] DefaultModels = ["resnet50", "mobilenetv2", "bert-mini"];
    private static readonly TimeSpan TimeForEach = TimeSpan.FromSeconds(2.5);

    public static async Task<int> RunAsync(string[] names)
    {
        Console.WriteLine("| model | one agent: requests/s | copies on two | over one | predicted | split over two | over one |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- |");
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
        await using var coordinator = new Coordinator(new OnnxModelFormat(modelOptions), new CoordinatorOptions { CostModel = WeightedCostModel.ForObjective(PlanObjective.Throughput) });
        await OneCoreLoad.ConnectAsync(coordinator, agents);
        PartitionProblem problem = await coordinator.CreateProblemAsync(model.Graph);
        problem = problem with
        {
            MeasuredLayerSeconds = await coordinator.ProfileAsync(model, inputs, new AgentProfilerOptions { Duration = TimeForEach }),
            Constraints = new PlanConstraints { MaximumReplicas = 2 },
        };
        int[] devices = [.. coordinator.Agents.Select(agent => problem.Fleet.IndexOf(agent.Device.Id))];
        int[][] whole = [.. devices.Select(device => Enumerable.Repeat(device, model.Graph.Layers.Length).ToArray())];
        var evaluator = new PlanEvaluator(problem);
        PartitionPlan[] plans =
        [
            evaluator.Create(whole[0], "one agent"),
            evaluator.Create([.. whole.Select(static assignment => new PlanRoute(0.5, [.. assignment]))], "copies"),
            new PipelinePartitioner().Partition(problem, CancellationToken.None),
        ];
        await using Deployment deployment = await coordinator.DeployAsync(path, new DeploymentOptions { Plan = plans[0] });
        var best = new double[plans.Length];
        // In turn, so that what else the machine does meets all of them; the best of each counts.
        for (int round = 0; round < Rounds; round++)
        {
            for (int plan = 0; plan < plans.Length; plan++)
            {
                await deployment.RepartitionAsync(plans[plan]);
                best[plan] = Math.Max(best[plan], await ThroughputAsync(deployment, inputs));
            }
        }
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {entry.Name} | {best[0]:F1} | {best[1]:F1} | {best[1] / best[0]:F2} | {plans[0].Cost.BottleneckSeconds / plans[1].Cost.BottleneckSeconds:F2} | {best[2]:F1} | {best[2] / best[0]:F2} |"));
    }

    /// <summary>Requests per second with several in flight.</summary>
    private static async Task<double> ThroughputAsync(Deployment deployment, IReadOnlyDictionary<string, Tensor> inputs)
    {
        (await deployment.InferAsync(inputs)).Dispose();
        (int ended, double seconds) = await OneCoreLoad.RunAsync(deployment, inputs, InFlight, TimeForEach);
        return ended / seconds;
    }
}
