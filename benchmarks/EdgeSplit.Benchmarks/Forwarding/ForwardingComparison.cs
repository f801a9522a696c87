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
/// through the coordinator. Every answer is compared with the unsplit model's.
/// </summary>
internal static class ForwardingComparison
{
    private const double Processors = 0.8;
    private const double LinkBytesPerSecond = 12.5e6;
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(5);

    public static async Task<int> RunAsync(string[] arguments)
    {
        if (TestbedSupport.NoNetworksReason is { } reason)
        {
            Console.Error.WriteLine(reason);
            return 1;
        }
        int rounds = arguments is [string count, ..] ? int.Parse(count, CultureInfo.InvariantCulture) : 3;
        string[] models = arguments.Length > 1 ? arguments[1..] : ["resnet18", "mobilenetv2"];
        Console.WriteLine("| model | stages | between agents, KiB | way | latency ms, 1 in flight | requests/s, 8 in flight | answers checked | KiB/request over agent-0's link: sent | received | agent-1's: sent | received | the coordinator's: sent | received |");
        Console.WriteLine("| --- | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
        foreach (string model in models)
            await CompareAsync(model, rounds);
        return 0;
    }

    private static async Task CompareAsync(string name, int rounds)
    {
        using TestModel model = await TestModel.CreateAsync(name, samples: 2);
        var figures = new List<Figures>[] { [], [] };
        PartitionPlan? plan = null;
        // In turn, so that what else the machine does meets both.
        for (int round = 0; round < rounds; round++)
        {
            for (int direct = 0; direct < 2; direct++)
            {
                await using TestbedSystem testbed = await TestbedSystem.StartAsync(Options(direct == 1), model.Format);
                // The layers in turn in four pieces, so that three tensors pass between the agents.
                await using Deployment deployment = await testbed.Coordinator.DeployAsync(model.Path, new DeploymentOptions { Partitioner = new Alternating() });
                plan = deployment.Plan;
                figures[direct].Add(await MeasureAsync(testbed, deployment, model));
            }
        }
        double between = plan!.Stages.SelectMany(static stage => stage.Outputs).Distinct().Sum(activation => plan.Graph.Activations[activation].ByteCount) / 1024.0;
        foreach ((string way, List<Figures> all) in new[] { ("relayed", figures[0]), ("direct", figures[1]) })
        {
            double[] links = [.. Enumerable.Range(0, 6).Select(index => Median(all.Select(figure => figure.LinkKibibytes[index])))];
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {name} | {plan.Stages.Length} | {between:0} | {way} | {Median(all.Select(static figure => figure.LatencyMilliseconds)):0.0} | {Median(all.Select(static figure => figure.RequestsPerSecond)):0.0} | {all.Sum(static figure => figure.Answers)} | {links[0]:0} | {links[1]:0} | {links[2]:0} | {links[3]:0} | {links[4]:0} | {links[5]:0} |"));
        }
        double latency = Ratio(figures, static figure => figure.LatencyMilliseconds), rate = Ratio(figures, static figure => figure.RequestsPerSecond);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | | | direct / relayed | {latency:0.00} | {rate:0.00} | | | | | | | |"));
    }

    private static TestbedOptions Options(bool direct) => new()
    {
        Agents = 2,
        Processors = Processors,
        LinkBytesPerSecond = LinkBytesPerSecond,
        Coordinator = new CoordinatorOptions { CostModel = WeightedCostModel.ForObjective(PlanObjective.Throughput), Adaptation = null, ForwardsDirectly = direct },
    };

    private static async Task<Figures> MeasureAsync(TestbedSystem testbed, Deployment deployment, TestModel model)
    {
        (IReadOnlyList<LoadOutcome> one, _, double[] links) = await LoadAsync(testbed, deployment, model, 1, Measured);
        (IReadOnlyList<LoadOutcome> many, long until, _) = await LoadAsync(testbed, deployment, model, 8, Measured + TimeSpan.FromSeconds(2));
        int ended = many.Count(outcome => outcome.Ended <= until && Stopwatch.GetElapsedTime(outcome.Ended, until) < Measured);
        return new Figures(
            Latencies.At(one.Skip(2).Select(static outcome => outcome.Latency), 50).TotalMilliseconds,
            ended / Measured.TotalSeconds,
            one.Count + many.Count,
            [.. links.Select(bytes => bytes / 1024 / one.Count)]);
    }

    private static async Task<(IReadOnlyList<LoadOutcome> Outcomes, long Until, double[] LinkBytes)> LoadAsync(
        TestbedSystem testbed, Deployment deployment, TestModel model, int inFlight, TimeSpan time)
    {
        double[] before = LinkBytes(testbed);
        var load = new RequestLoad(deployment, model, inFlight);
        await Task.Delay(time);
        long until = Stopwatch.GetTimestamp();
        await load.DisposeAsync();
        IReadOnlyList<LoadOutcome> outcomes = load.Outcomes;
        return outcomes.All(static outcome => outcome.IsRight)
            ? (outcomes, until, [.. LinkBytes(testbed).Zip(before, static (now, then) => now - then)])
            : throw new InvalidOperationException($"A request failed or was answered wrongly: {outcomes.First(static outcome => !outcome.IsRight)}");
    }

    private static double[] LinkBytes(TestbedSystem testbed) =>
        [.. testbed.Agents.Select(static agent => agent.LinkBytes).Append(testbed.CoordinatorLinkBytes).SelectMany(static bytes => new double[] { bytes.Sent, bytes.Received })];

    private static double Ratio(List<Figures>[] figures, Func<Figures, double> of) => Median(figures[1].Select(of)) / Median(figures[0].Select(of));

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    private sealed record Figures(double LatencyMilliseconds, double RequestsPerSecond, int Answers, double[] LinkKibibytes);

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
