using System.Diagnostics;
using System.Globalization;
using EdgeSplit.Coordination;
using EdgeSplit.Costs;
using EdgeSplit.Partitioning;
using EdgeSplit.Testbed;
using EdgeSplit.Testbed.Load;

namespace EdgeSplit.Benchmarks.Forwarding;

/// <summary>
/// Real agents in network namespaces, each behind a link of 100 Mbit/s: one plan, whose tensors pass between the agents directly or
/// through the coordinator.
/// </summary>
internal static class ForwardingComparison
{
    private const int Rounds = 3;
    private const double Processors = 0.8;
    private const double LinkBytesPerSecond = 12.5e6;
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(5);

    public static async Task<int> RunAsync(string[] models)
    {
        if (TestbedSupport.NoNetworksReason is { } reason)
        {
            Console.Error.WriteLine(reason);
            return 1;
        }
        Console.WriteLine("| model | stages | between agents KiB | latency ms: relayed | direct | direct / relayed | requests/s: relayed | direct | direct / relayed |");
        Console.WriteLine("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
        foreach (string model in models is [] ? ["resnet18", "mobilenetv2"] : models)
            await CompareAsync(model);
        return 0;
    }

    private static async Task CompareAsync(string name)
    {
        using TestModel model = await TestModel.CreateAsync(name, samples: 2);
        var latency = new List<double>[] { [], [] };
        var rate = new List<double>[] { [], [] };
        PartitionPlan? plan = null;
        for (int round = 0; round < Rounds; round++)
        {
            for (int direct = 0; direct < 2; direct++)
            {
                await using TestbedSystem testbed = await TestbedSystem.StartAsync(Options(direct == 1), model.Format);
                // The layers in turn in four pieces, so that three tensors pass between the agents.
                await using Deployment deployment = await testbed.Coordinator.DeployAsync(model.Path, new DeploymentOptions { Partitioner = new Alternating() });
                plan = deployment.Plan;
                latency[direct].Add(await LatencyAsync(deployment, model));
                rate[direct].Add(await RateAsync(deployment, model));
            }
        }
        double[] latencies = [.. latency.Select(Median)], rates = [.. rate.Select(Median)];
        double between = plan!.Stages.SelectMany(static stage => stage.Outputs).Distinct().Sum(activation => plan.Graph.Activations[activation].ByteCount) / 1024.0;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {name} | {plan.Stages.Length} | {between:0} | {latencies[0]:0.0} | {latencies[1]:0.0} | {latencies[1] / latencies[0]:0.00} | {rates[0]:0.0} | {rates[1]:0.0} | {rates[1] / rates[0]:0.00} |"));
    }

    private static TestbedOptions Options(bool direct) => new()
    {
        Agents = 2,
        Processors = Processors,
        LinkBytesPerSecond = LinkBytesPerSecond,
        Coordinator = new CoordinatorOptions { CostModel = WeightedCostModel.ForObjective(PlanObjective.Throughput), Adaptation = null, ForwardsDirectly = direct },
    };

    private static async Task<double> LatencyAsync(Deployment deployment, TestModel model)
    {
        var load = new RequestLoad(deployment, model, inFlight: 1);
        await Task.Delay(Measured);
        await load.DisposeAsync();
        return Latencies.At(Right(load).Skip(2).Select(static outcome => outcome.Latency), 50).TotalMilliseconds;
    }

    private static async Task<double> RateAsync(Deployment deployment, TestModel model)
    {
        var load = new RequestLoad(deployment, model, inFlight: 8);
        await Task.Delay(Measured + TimeSpan.FromSeconds(1));
        long until = Stopwatch.GetTimestamp();
        await load.DisposeAsync();
        return Right(load).Count(outcome => outcome.Ended <= until && Stopwatch.GetElapsedTime(outcome.Ended, until) < Measured) / Measured.TotalSeconds;
    }

    private static IReadOnlyList<LoadOutcome> Right(RequestLoad load) =>
        load.Outcomes.All(static outcome => outcome.IsRight) ? load.Outcomes : throw new InvalidOperationException("A request failed or was answered wrongly.");

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    /// <summary>Deals the layers out in four pieces of like work to the two agents in turn.</summary>
    private sealed class Alternating : IPartitioner
    {
        private const int Pieces = 4;

        public string Name => "alternating";

        public PartitionPlan Partition(PartitionProblem problem, CancellationToken cancellationToken)
        {
            int[] agents = [.. Enumerable.Range(0, problem.Fleet.Devices.Length).Where(device => problem.Fleet.Devices[device].RunsLayers)];
            double total = problem.Graph.Layers.Sum(static layer => layer.FloatOperations), before = 0;
            int[] assignment = new int[problem.Graph.Layers.Length];
            for (int layer = 0; layer < assignment.Length; layer++)
            {
                assignment[layer] = agents[Math.Min((int)(Pieces * before / total), Pieces - 1) % agents.Length];
                before += problem.Graph.Layers[layer].FloatOperations;
            }
            return new PlanEvaluator(problem).Create(assignment, Name);
        }
    }
}
