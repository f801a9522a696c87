using System.Diagnostics;
using System.Globalization;
using EdgeSplit.Coordination;
using EdgeSplit.Coordination.Adaptation;
using EdgeSplit.Coordination.Membership;
using EdgeSplit.Costs;
using EdgeSplit.Devices;
using EdgeSplit.Onnx;
using EdgeSplit.Partitioning;
using EdgeSplit.Testbed;
using EdgeSplit.Testbed.Load;

namespace EdgeSplit.Benchmarks.Adaptation;

/// <summary>
/// Real agents in network namespaces: a link drops to a tenth, a device to a quarter of its speed. The plan that the coordinator
/// adapted to, against the old plan kept, and against the best of the plans that someone would choose who knows of the change: the
/// plan for what was measured before it with the change put in exactly, the plan found anew with layers and links measured after it, and
/// the plan without the device. All in turn on the same agents, which are started under the new conditions.
/// </summary>
internal static class AdaptationComparison
{
    private const string Model = "resnet18";
    private const int Agents = 3;
    private const int InFlight = 8;
    private const int Rounds = 3;
    private const double Processors = 0.3;
    private const double LinkBytesPerSecond = 12.5e6;
    private const double LinkFactor = 0.1;
    private const double DeviceFactor = 0.25;
    // Weights that move over a choked link hold reports up; here no agent is to be given up for that.
    private static readonly MembershipOptions Patient = new() { Lease = TimeSpan.FromSeconds(30) };
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan LongestWarmUp = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Adapting = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan MeasuredAlone = TimeSpan.FromSeconds(1);

    public static async Task<int> RunAsync(string[] changes)
    {
        if (TestbedSupport.NoNetworksReason is { } reason)
        {
            Console.Error.WriteLine(reason);
            return 1;
        }
        using TestModel model = await TestModel.CreateAsync(Model, samples: 2);
        Console.WriteLine("| change | requests/s before | until the first switch s | switches | requests/s: old plan kept | adapted | best known | adapted / best | latency ms: old | adapted | best | best is |");
        Console.WriteLine("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |");
        if (changes.Length == 0 || changes.Contains("link"))
            await CompareAsync("a link drops to a tenth", model, static agent => agent.LimitLink(LinkBytesPerSecond * LinkFactor), ChokeLink, changesLayers: false);
        if (changes.Length == 0 || changes.Contains("device"))
            await CompareAsync("a device drops to a quarter", model, static agent => agent.LimitProcessors(Processors * DeviceFactor), SlowDevice, changesLayers: true);
        return 0;
    }

    private static async Task CompareAsync(string change, TestModel model, Action<TestbedAgent> apply, Func<PartitionProblem, string, PartitionProblem> know, bool changesLayers)
    {
        // Weights that have been sent once need not be sent again, least of all over a link that is choked.
        string blobs = Directory.CreateTempSubdirectory("edgesplit-adaptation-").FullName;
        try
        {
            await CompareAsync(change, model, apply, know, changesLayers, blobs);
        }
        finally
        {
            Directory.Delete(blobs, recursive: true);
        }
    }

    private static async Task CompareAsync(string change, TestModel model, Action<TestbedAgent> apply, Func<PartitionProblem, string, PartitionProblem> know, bool changesLayers, string blobs)
    {
        PartitionPlan old, adapted;
        PartitionProblem before;
        string victim;
        double rateBefore;
        var switches = new List<double>();
        await using (TestbedSystem testbed = await TestbedSystem.StartAsync(Options(null, new AdaptationOptions(), blobs), model.Format))
        {
            using var opened = (OnnxModel)await model.Format.OpenAsync(model.Path, CancellationToken.None);
            DeploymentOptions profiled = await ProfileAsync(testbed, opened, model);
            before = await testbed.Coordinator.CreateProblemAsync(opened.Graph, profiled);
            await using Deployment deployment = await testbed.Coordinator.DeployAsync(model.Path, profiled);
            await using var load = new RequestLoad(deployment, model, InFlight);
            // Under load stages take longer than alone, which is a change too, and not the one that is measured here.
            await WaitUntilItStaysAsync(testbed.Coordinator);
            old = deployment.Plan;
            Console.Error.WriteLine($"before: {Say(old)}");
            rateBefore = Rate(load.Outcomes, Stopwatch.GetTimestamp());
            // The agent that computes most.
            victim = old.Stages.GroupBy(stage => old.Fleet.Devices[stage.Device].Id).MaxBy(static stages => stages.Sum(static stage => stage.PredictedSeconds))!.Key;
            long changed = Stopwatch.GetTimestamp();
            testbed.Coordinator.DecisionMade += (_, decision) =>
            {
                Console.Error.WriteLine($"{Stopwatch.GetElapsedTime(changed).TotalSeconds:0.00} s: {(decision.Switched ? "switched" : "stayed")}: {decision.Cause} {decision.Reason}");
                if (decision.Switched)
                    switches.Add(Stopwatch.GetElapsedTime(changed).TotalSeconds);
            };
            apply(testbed.Agent(victim));
            await Task.Delay(Adapting);
            adapted = deployment.Plan;
        }

        await using TestbedSystem anew = await TestbedSystem.StartAsync(Options(agent => { if (agent.Id == victim) apply(agent); }, null, blobs), model.Format);
        using var reopened = (OnnxModel)await model.Format.OpenAsync(model.Path, CancellationToken.None);
        // Over a choked link the tensors that layers are measured with take minutes, and what they take has not changed.
        DeploymentOptions options = changesLayers ? await ProfileAsync(anew, reopened, model) : new DeploymentOptions { MeasuredLayerSeconds = before.MeasuredLayerSeconds };
        await using Deployment fixedPlans = await anew.Coordinator.DeployAsync(model.Path, options);
        var partitioner = new AutoPartitioner();
        PartitionProblem known = know(before, victim);
        (string Name, PartitionPlan Plan)[] plans =
        [
            ("old", old),
            ("adapted", adapted),
            ("made for the change", partitioner.Partition(known, CancellationToken.None)),
            ("found anew", fixedPlans.Plan),
            ("without the device", partitioner.Partition(Without(known, victim), CancellationToken.None)),
        ];
        (List<double> Rates, List<double> Latencies)[] figures = [.. plans.Select(static _ => (new List<double>(), new List<double>()))];
        for (int round = 0; round < Rounds; round++)
        {
            for (int plan = 0; plan < plans.Length; plan++)
            {
                // Of plans that are the same one is enough.
                if (Array.FindIndex(plans, other => Say(other.Plan) == Say(plans[plan].Plan)) is int first && first < plan)
                {
                    figures[plan] = figures[first];
                    continue;
                }
                await fixedPlans.RepartitionAsync(plans[plan].Plan);
                figures[plan].Rates.Add(await RateAsync(fixedPlans, model));
                figures[plan].Latencies.Add(await LatencyAsync(fixedPlans, model));
            }
        }
        double[] rate = [.. figures.Select(static figure => Median(figure.Rates))], latency = [.. figures.Select(static figure => Median(figure.Latencies))];
        int best = Enumerable.Range(2, plans.Length - 2).MaxBy(plan => rate[plan]);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {change} | {rateBefore:0.0} | {(switches.Count > 0 ? switches[0].ToString("0.0", CultureInfo.InvariantCulture) : "-")} | {switches.Count} | {rate[0]:0.0} | {rate[1]:0.0} | {rate[best]:0.0} | {rate[1] / rate[best]:0.00} | {latency[0]:0} | {latency[1]:0} | {latency[best]:0} | {plans[best].Name} |"));
        for (int plan = 0; plan < plans.Length; plan++)
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{plans[plan].Name}: {rate[plan]:0.0} requests/s, {latency[plan]:0} ms: {Say(plans[plan].Plan)}").Replace(victim, victim + "*", StringComparison.Ordinal));
    }

    private static async Task WaitUntilItStaysAsync(Coordinator coordinator)
    {
        long started = Stopwatch.GetTimestamp();
        do
        {
            await Task.Delay(TimeSpan.FromSeconds(0.5));
        }
        while (Stopwatch.GetElapsedTime(started) < WarmUp
            || (Stopwatch.GetElapsedTime(started) < LongestWarmUp && coordinator.Decisions.Any(static decision => decision.Switched && DateTimeOffset.UtcNow - decision.Time < WarmUp)));
    }

    private static PartitionProblem ChokeLink(PartitionProblem problem, string victim)
    {
        Fleet fleet = problem.Fleet;
        var links = new Dictionary<(string From, string To), Link>();
        Link Ends(int from, int to) => fleet.Devices[from].Id == victim || fleet.Devices[to].Id == victim
            ? fleet.LinkBetween(from, to) with { BytesPerSecond = fleet.LinkBetween(from, to).BytesPerSecond * LinkFactor }
            : fleet.LinkBetween(from, to);
        for (int from = 0; from < fleet.Devices.Length; from++)
        {
            for (int to = 0; to < fleet.Devices.Length; to++)
            {
                if (from != to)
                    links[(fleet.Devices[from].Id, fleet.Devices[to].Id)] = Ends(from, to);
            }
        }
        return problem with { Fleet = new Fleet(fleet.Devices, links) };
    }

    private static PartitionProblem SlowDevice(PartitionProblem problem, string victim) => problem with
    {
        MeasuredLayerSeconds = problem.MeasuredLayerSeconds.SetItem(victim, [.. problem.MeasuredLayerSeconds[victim].Select(static seconds => seconds / DeviceFactor)]),
    };

    private static PartitionProblem Without(PartitionProblem problem, string victim) => problem with
    {
        Constraints = problem.Constraints with { Forbidden = [.. problem.Graph.Layers.Select(layer => (layer.Index, victim))] },
    };

    private static string Say(PartitionPlan plan) =>
        string.Join(", ", plan.Stages.Select(stage => $"{plan.Fleet.Devices[stage.Device].Id} layers {stage.Layers[0]} to {stage.Layers[^1]}"));

    private static TestbedOptions Options(Action<TestbedAgent>? prepare, AdaptationOptions? adaptation, string blobs) => new()
    {
        BlobsFolder = blobs,
        Agents = Agents,
        Processors = Processors,
        LinkBytesPerSecond = LinkBytesPerSecond,
        Prepare = prepare,
        Coordinator = new CoordinatorOptions { CostModel = WeightedCostModel.ForObjective(PlanObjective.Throughput), Adaptation = adaptation, Membership = Patient },
    };

    private static async Task<DeploymentOptions> ProfileAsync(TestbedSystem testbed, OnnxModel opened, TestModel model) =>
        new() { MeasuredLayerSeconds = await testbed.Coordinator.ProfileAsync(opened, model.Samples[0].Inputs) };

    private static async Task<double> RateAsync(Deployment deployment, TestModel model)
    {
        var load = new RequestLoad(deployment, model, InFlight);
        // The first second fills the pipeline, and Rate looks at what is after it.
        await Task.Delay(Measured + TimeSpan.FromSeconds(1));
        double rate = Rate(load.Outcomes, Stopwatch.GetTimestamp());
        await load.DisposeAsync();
        return load.Outcomes.All(static outcome => outcome.IsRight) ? rate : throw new InvalidOperationException("A request failed or was answered wrongly.");
    }

    private static async Task<double> LatencyAsync(Deployment deployment, TestModel model)
    {
        var load = new RequestLoad(deployment, model, inFlight: 1);
        await Task.Delay(MeasuredAlone);
        await load.DisposeAsync();
        return Latencies.At(load.Outcomes.Select(static outcome => outcome.Latency), 50).TotalMilliseconds;
    }

    private static double Rate(IReadOnlyList<LoadOutcome> outcomes, long until) =>
        outcomes.Count(outcome => Stopwatch.GetElapsedTime(outcome.Ended, until) < Measured) / Measured.TotalSeconds;

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
