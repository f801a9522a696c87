using System.Collections.Immutable;
using System.Globalization;
using EdgeSplit.Benchmarks.Costs;
using EdgeSplit.Coordination;
using EdgeSplit.Costs;
using EdgeSplit.ModelZoo;
using EdgeSplit.Onnx;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Onnx.Runtime.Profiling;
using EdgeSplit.Partitioning;
using EdgeSplit.Tensors;

namespace EdgeSplit.Benchmarks.Pipelines;

/// <summary>
/// A model over two agents, processes of one core each, against the same model whole in one process of one core: requests per
/// second. Beside it stand two such processes at a time, which is what the machine gives to two cores that have nothing to do with
/// each other, and the bound that was predicted. Rounds of all three alternate; the figures are medians.
/// </summary>
/// <remarks>The coordinator and the load's clients run on the agents' two cores; what they take is told.</remarks>
internal static class PipelineThroughput
{
    private const int Rounds = 5;
    private const int Rehearsals = 48;
    private const int MostCorrections = 4;
    private static readonly TimeSpan RoundTime = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan ProfileTime = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan SettlingTime = TimeSpan.FromSeconds(3);

    public static async Task<int> RunAsync(string[] names)
    {
        Console.WriteLine("| model | one core, req/s | two agents, req/s | ratio | two whole models on a core each, req/s | of that | bound predicted from the profile, req/s | corrected by requests | of that | agents' CPU | coordinator's CPU, ms per request |");
        Console.WriteLine("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
        await OneCoreLoad.ForEachAsync(names.Length > 0 ? names : ["resnet50", "bert-base"], CompareAsync);
        return 0;
    }

    private static async Task CompareAsync(ZooEntry entry, string folder, OneCoreAgent[] agents)
    {
        string path = Path.Combine(folder, "model.onnx");
        entry.Write(path);
        var modelOptions = new OnnxModelOptions { FreeDimensions = entry.TypicalDimensions };
        IReadOnlyDictionary<string, Tensor> inputs = entry.CreateInputs();
        using OnnxModel model = OnnxModel.Open(path, modelOptions);
        // Before the agents are watched, or they would report these loads on their cores as those of other programs, which they are.
        await using OneCoreModel whole = await OneCoreModel.StartAsync(0, entry.Name, path), other = await OneCoreModel.StartAsync(1, entry.Name, path);
        var runtime = new OnnxPartitionRuntime(new OnnxRuntimeOptions { IntraOpThreads = 1 });
        LayerProfile profile = await new LayerProfiler(runtime, new LayerProfilerOptions { Duration = ProfileTime }).ProfileAsync(model, inputs, null, CancellationToken.None);
        await using var coordinator = new Coordinator(new OnnxModelFormat(modelOptions), new CoordinatorOptions
        {
            CostModel = WeightedCostModel.ForObjective(PlanObjective.Throughput),
            Partitioner = new PipelinePartitioner(),
        });
        await OneCoreLoad.ConnectAsync(coordinator, agents);
        ImmutableDictionary<string, ImmutableArray<double>> layerSeconds =
            await coordinator.ProfileAsync(model, inputs, new AgentProfilerOptions { Duration = ProfileTime, RelativeLayerSeconds = profile.LayerSeconds });
        // The latest reports still tell of the load that profiling was.
        await Task.Delay(SettlingTime);
        PartitionProblem problem = await coordinator.CreateProblemAsync(model.Graph) with { MeasuredLayerSeconds = layerSeconds };
        PartitionPlan plan = new PipelinePartitioner().Partition(problem, CancellationToken.None);
        await using Deployment deployment = await coordinator.DeployAsync(path, new DeploymentOptions { Plan = plan });

        // As a coordinator does that goes on serving: what requests took corrects the costs, and the plan with them, until it stays.
        await RehearseAsync(deployment, inputs);
        for (int i = 0; i < MostCorrections; i++)
        {
            PartitionPlan corrected = new PipelinePartitioner().Partition(deployment.Corrections.Apply(problem), CancellationToken.None);
            bool stays = corrected.Assignment.SequenceEqual(plan.Assignment);
            plan = corrected;
            if (stays)
                break;
            await deployment.RepartitionAsync(plan);
            await RehearseAsync(deployment, inputs);
        }
        double profiledBound = 1 / new PlanEvaluator(problem).Evaluate(plan.Assignment.AsSpan()).Cost.BottleneckSeconds;
        double bound = 1 / plan.Cost.BottleneckSeconds;

        var alone = new List<double>();
        var pair = new List<double>();
        var rounds = new List<Round>();
        for (int round = 0; round < Rounds; round++)
        {
            alone.Add(await (round % 2 == 0 ? whole : other).RunAsync(RoundTime));
            rounds.Add(await RunAsync(deployment, inputs, agents));
            pair.Add((await Task.WhenAll(whole.RunAsync(RoundTime), other.RunAsync(RoundTime))).Sum());
        }
        double one = Median(alone), two = Median(pair), split = Median([.. rounds.Select(static round => round.PerSecond)]);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {entry.Name} | {one:0.00} | {split:0.00} | {split / one:0.00} | {two:0.00} | {split / two:0.00} | {profiledBound:0.00} | {bound:0.00} | {split / bound:0.00} | {string.Join(" + ", Enumerable.Range(0, 2).Select(agent => $"{Median([.. rounds.Select(round => round.AgentCpu[agent])]):0%}"))} | {Median([.. rounds.Select(static round => round.OwnMilliseconds)]):0.00} |"));
    }

    private static Task RehearseAsync(Deployment deployment, IReadOnlyDictionary<string, Tensor> inputs) =>
        Task.WhenAll(Enumerable.Range(0, Rehearsals).Select(async _ => (await deployment.InferAsync(inputs)).Dispose()));

    private static async Task<Round> RunAsync(Deployment deployment, IReadOnlyDictionary<string, Tensor> inputs, OneCoreAgent[] agents)
    {
        TimeSpan own = Environment.CpuUsage.TotalTime;
        TimeSpan[] before = [.. agents.Select(static agent => agent.ProcessorTime)];
        // As many callers as requests can be under way, so that none is missing while one of them looks at its result.
        int callers = 2 * deployment.Plan.Stages.Length * 3;
        (int ended, double seconds) = await OneCoreLoad.RunAsync(deployment, inputs, callers, RoundTime);
        return new Round(
            ended / seconds,
            [.. agents.Select((agent, index) => (agent.ProcessorTime - before[index]).TotalSeconds / seconds)],
            (Environment.CpuUsage.TotalTime - own).TotalMilliseconds / ended);
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }

    private sealed record Round(double PerSecond, double[] AgentCpu, double OwnMilliseconds);
}
