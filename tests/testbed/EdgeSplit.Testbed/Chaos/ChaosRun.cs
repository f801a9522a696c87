using System.Collections.Immutable;
using System.Diagnostics;
using EdgeSplit.Coordination;
using EdgeSplit.Coordination.Membership;
using EdgeSplit.Costs;
using EdgeSplit.Partitioning;
using EdgeSplit.Testbed.Load;

namespace EdgeSplit.Testbed.Chaos;

/// <summary>Serves a model on agents to which something happens all the time.</summary>
public sealed class ChaosRun
{
    // A fleet on a good wireless network, on processors that a small machine can stand for.
    private const double LinkBytesPerSecond = 25e6;
    private const double ChokedBytesPerSecond = LinkBytesPerSecond / 50;
    private const double ProcessorsOfAll = 1.2;
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Afterwards = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan LongestRecovery = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Choked = TimeSpan.FromSeconds(3);

    private readonly ChaosOptions _options;
    private readonly TestbedSystem _testbed;
    private readonly Deployment _deployment;
    private readonly RequestLoad _load;
    private readonly Random _random;

    private ChaosRun(ChaosOptions options, TestbedSystem testbed, Deployment deployment, RequestLoad load)
    {
        _options = options;
        _testbed = testbed;
        _deployment = deployment;
        _load = load;
        _random = new Random(options.Seed);
    }

    /// <summary>Runs to the end.</summary>
    public static async Task<ChaosReport> RunAsync(ChaosOptions options, CancellationToken cancellationToken = default)
    {
        using TestModel model = await TestModel.CreateAsync(options.Model);
        await using TestbedSystem testbed = await TestbedSystem.StartAsync(
            new TestbedOptions
            {
                Agents = options.Agents,
                Processors = ProcessorsOfAll / options.Agents,
                LinkBytesPerSecond = LinkBytesPerSecond,
                Coordinator = new CoordinatorOptions
                {
                    CostModel = WeightedCostModel.ForObjective(PlanObjective.Throughput),
                    // Quarantine would soon leave nobody to do something to.
                    Membership = new MembershipOptions { FlapLimit = int.MaxValue },
                },
            },
            model.Format,
            cancellationToken);
        await using Deployment deployment = await testbed.Coordinator.DeployAsync(model.Path, null, cancellationToken);
        var load = new RequestLoad(deployment, model, options.InFlight);
        try
        {
            return await new ChaosRun(options, testbed, deployment, load).StrikeAsync(cancellationToken);
        }
        finally
        {
            await load.DisposeAsync();
        }
    }

    private async Task<ChaosReport> StrikeAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(Quiet, cancellationToken);
        IReadOnlyList<LoadOutcome> quiet = _load.Outcomes;
        var faults = ImmutableArray.CreateBuilder<Fault>();
        FaultKind[] kinds = _testbed.Agents[0].HasNetwork ? Enum.GetValues<FaultKind>() : [FaultKind.Kill, FaultKind.Stop, FaultKind.Restart];
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < _options.Duration)
        {
            // Each kind once in every round.
            _random.Shuffle(kinds);
            foreach (FaultKind kind in kinds)
            {
                if (watch.Elapsed >= _options.Duration)
                    break;
                Fault fault = await StrikeAsync(kind, cancellationToken);
                faults.Add(fault);
                _options.Progress?.Invoke(fault);
            }
        }
        await _load.DisposeAsync();
        return new ChaosReport(
            faults.ToImmutable(), _load.Outcomes, Latencies.At(quiet.Select(static outcome => outcome.Latency), 99), quiet.Count / Quiet.TotalSeconds, _deployment.Epoch);
    }

    private async Task<Fault> StrikeAsync(FaultKind kind, CancellationToken cancellationToken)
    {
        TestbedAgent victim = await ChooseAsync(cancellationToken);
        using var watch = new RecoveryWatch(_testbed.Coordinator, _deployment, _load, victim.Id);
        switch (kind)
        {
            case FaultKind.Kill:
                victim.Kill();
                await watch.WaitAsync(LongestRecovery, cancellationToken);
                victim.Start();
                break;
            case FaultKind.Restart:
                victim.Kill();
                victim.Start();
                await watch.WaitAsync(LongestRecovery, cancellationToken);
                break;
            case FaultKind.Stop:
                victim.Stop();
                await watch.WaitAsync(LongestRecovery, cancellationToken);
                victim.Continue();
                break;
            case FaultKind.Cut:
                victim.CutLink();
                await watch.WaitAsync(LongestRecovery, cancellationToken);
                victim.MendLink();
                break;
            default:
                victim.LimitLink(ChokedBytesPerSecond);
                await watch.WaitAsync(Choked, cancellationToken);
                victim.LimitLink(LinkBytesPerSecond);
                break;
        }
        await Task.Delay(Afterwards, cancellationToken);
        Fault fault = watch.Describe(kind);
        await Task.Delay(_options.Pause > Afterwards ? _options.Pause - Afterwards : TimeSpan.Zero, cancellationToken);
        return fault;
    }

    /// <summary>An agent that the plan in use needs, once others could take its place.</summary>
    private async Task<TestbedAgent> ChooseAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            PartitionPlan plan = _deployment.Plan;
            string[] used = [.. plan.Stages.Select(stage => plan.Fleet.Devices[stage.Device].Id).Distinct().Intersect(_testbed.Available).Order(StringComparer.Ordinal)];
            if (_testbed.Available.Length >= _options.Agents - 1 && used.Length > 0)
                return _testbed.Agent(used[_random.Next(used.Length)]);
            await Task.Delay(50, cancellationToken);
        }
    }
}
