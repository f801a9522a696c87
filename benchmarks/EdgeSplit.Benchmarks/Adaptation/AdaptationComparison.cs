using System.Diagnostics;
using System.Globalization;
using EdgeSplit.Coordination;
using EdgeSplit.Coordination.Adaptation;
using EdgeSplit.Coordination.Membership;
using EdgeSplit.Costs;
using EdgeSplit.Onnx;
using EdgeSplit.Partitioning;
using EdgeSplit.Testbed;
using EdgeSplit.Testbed.Load;

namespace EdgeSplit.Benchmarks.Adaptation;

/// <summary>
/// Real agents in network namespaces: a link drops to a tenth, a device to a quarter of its speed. The plan that the coordinator
/// adapted to, against the old plan kept, and against the best plan that is found by starting anew under the new conditions with
/// measured layers; the three in turn on the same agents.
/// </summary>
internal static class AdaptationComparison
{
    private const string Model = "resnet18";
    private const int Agents = 3;
    private const int InFlight = 8;
    private const int Rounds = 3;
    private const double Processors = 0.4;
    private const double LinkBytesPerSecond = 12.5e6;
    // Weights that move over a choked link hold reports up; here no agent is to be given up for that.
    private static readonly MembershipOptions Patient = new() { Lease = TimeSpan.FromSeconds(30) };
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(12);
    private static readonly TimeSpan Adapting = TimeSpan.FromSeconds(25);
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(5);

    public static async Task<int> RunAsync()
    {
        if (TestbedSupport.NoNetworksReason is { } reason)
        {
            Console.Error.WriteLine(reason);
            return 1;
        }
        using TestModel model = await TestModel.CreateAsync(Model, samples: 2);
        Console.WriteLine("| change | requests/s before | until the switch s | old plan kept: requests/s | adapted | best found anew | adapted / best | latency ms: old | adapted | best |");
        Console.WriteLine("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
        await CompareAsync("a link drops to a tenth", model, static agent => agent.LimitLink(LinkBytesPerSecond / 10));
        await CompareAsync("a device drops to a quarter", model, static agent => agent.LimitProcessors(Processors / 4));
        return 0;
    }

    private static async Task CompareAsync(string change, TestModel model, Action<TestbedAgent> apply)
    {
        PartitionPlan old, adapted;
        string victim;
        double before;
        string switched = "-";
        await using (TestbedSystem testbed = await TestbedSystem.StartAsync(Options(null, new AdaptationOptions()), model.Format))
        {
            await using Deployment deployment = await testbed.Coordinator.DeployAsync(model.Path, await ProfileAsync(testbed, model));
            await using var load = new RequestLoad(deployment, model, InFlight);
            await Task.Delay(WarmUp);
            old = deployment.Plan;
            before = Rate(load.Outcomes, Stopwatch.GetTimestamp());
            // The agent that computes most.
            victim = old.Stages.GroupBy(stage => old.Fleet.Devices[stage.Device].Id).MaxBy(static stages => stages.Sum(static stage => stage.PredictedSeconds))!.Key;
            long changed = Stopwatch.GetTimestamp();
            testbed.Coordinator.DecisionMade += (_, decision) =>
            {
                Console.Error.WriteLine($"{Stopwatch.GetElapsedTime(changed).TotalSeconds:0.00} s: {(decision.Switched ? "switched" : "stayed")}: {decision.Cause} {decision.Reason}");
                if (decision.Switched && switched == "-")
                    switched = string.Create(CultureInfo.InvariantCulture, $"{Stopwatch.GetElapsedTime(changed).TotalSeconds:0.0}");
            };
            apply(testbed.Agent(victim));
            await Task.Delay(Adapting);
            adapted = deployment.Plan;
        }

        // Agents that are started anew measure themselves, and their links and layers are measured, as they are now.
        await using TestbedSystem anew = await TestbedSystem.StartAsync(Options(agent => { if (agent.Id == victim) apply(agent); }, null), model.Format);
        await using Deployment fixedPlans = await anew.Coordinator.DeployAsync(model.Path, await ProfileAsync(anew, model));
        PartitionPlan[] plans = [old, adapted, fixedPlans.Plan];
        var rates = new List<double>[] { [], [], [] };
        var latencies = new List<double>[] { [], [], [] };
        for (int round = 0; round < Rounds; round++)
        {
            for (int plan = 0; plan < plans.Length; plan++)
            {
                await fixedPlans.RepartitionAsync(plans[plan]);
                rates[plan].Add(await RateAsync(fixedPlans, model));
                latencies[plan].Add(await LatencyAsync(fixedPlans, model));
            }
        }
        double[] rate = [.. rates.Select(Median)], latency = [.. latencies.Select(Median)];
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {change} | {before:0.0} | {switched} | {rate[0]:0.0} | {rate[1]:0.0} | {rate[2]:0.0} | {rate[1] / rate[2]:0.00} | {latency[0]:0} | {latency[1]:0} | {latency[2]:0} |"));
        foreach ((string name, PartitionPlan plan) in new[] { "old", "adapted", "best" }.Zip(plans))
            Console.Error.WriteLine($"{name}: {string.Join(", ", plan.Stages.Select(stage => $"{plan.Fleet.Devices[stage.Device].Id}{(plan.Fleet.Devices[stage.Device].Id == victim ? "*" : "")} {stage.Layers.Length} layers {stage.PredictedSeconds * 1e3:0} ms"))}, bottleneck {plan.Cost.BottleneckSeconds * 1e3:0} ms");
    }

    private static TestbedOptions Options(Action<TestbedAgent>? prepare, AdaptationOptions? adaptation) => new()
    {
        Agents = Agents,
        Processors = Processors,
        LinkBytesPerSecond = LinkBytesPerSecond,
        Prepare = prepare,
        Coordinator = new CoordinatorOptions { CostModel = WeightedCostModel.ForObjective(PlanObjective.Throughput), Adaptation = adaptation, Membership = Patient },
    };

    private static async Task<DeploymentOptions> ProfileAsync(TestbedSystem testbed, TestModel model)
    {
        using var opened = (OnnxModel)await model.Format.OpenAsync(model.Path, CancellationToken.None);
        return new DeploymentOptions { MeasuredLayerSeconds = await testbed.Coordinator.ProfileAsync(opened, model.Samples[0].Inputs) };
    }

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
        await Task.Delay(TimeSpan.FromSeconds(2));
        await load.DisposeAsync();
        return Latencies.At(load.Outcomes.Select(static outcome => outcome.Latency), 50).TotalMilliseconds;
    }

    private static double Rate(IReadOnlyList<LoadOutcome> outcomes, long until) =>
        outcomes.Count(outcome => Stopwatch.GetElapsedTime(outcome.Ended, until) < Measured) / Measured.TotalSeconds;

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
