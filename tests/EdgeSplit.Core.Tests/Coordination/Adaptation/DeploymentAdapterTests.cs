using EdgeSplit.Coordination;
using EdgeSplit.Coordination.Adaptation;
using EdgeSplit.Partitioning;
using EdgeSplit.Testing.Fakes;
using Microsoft.Extensions.Time.Testing;

namespace EdgeSplit.Tests.Coordination.Adaptation;

public sealed class DeploymentAdapterTests
{
    private static readonly FakeModel Model = FakeModelBuilder.Chain("chain", 6);
    private readonly FakeTimeProvider _time = new();

    private static FixedPartitioner Everywhere { get; } = new(problem =>
        problem.Graph.Layers.Select(layer => problem.Fleet.Devices[layer.Index % problem.Fleet.Devices.Length].Id));

    [Test]
    public async Task Agent_that_comes_while_another_plan_is_looked_for_is_noticed()
    {
        using var gate = new Gate();
        int searches = 0;
        await using Cluster cluster = await CreateAsync(new SwitchAlways(), new FixedPartitioner(problem =>
        {
            if (Interlocked.Increment(ref searches) == 2)
                gate.Pass(null!, default);
            return IdsOf(Everywhere.Partition(problem, default));
        }));
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain");
        await _time.PassAsync();
        await cluster.AddAsync("d");
        await PassTimeUntilAsync(gate.Reached);
        await cluster.AddAsync("e");
        gate.Open();
        await _time.PassUntilAsync(() => deployment.Plan.Fleet.IndexOf("e") >= 0);
        Assert.That(cluster.Coordinator.Decisions.Select(static decision => decision.Trigger), Has.All.EqualTo(RepartitionTrigger.AgentCame));
    }

    [Test]
    public async Task Agent_that_comes_while_a_plan_is_loaded_is_noticed()
    {
        int plans = 0;
        await using Cluster cluster = await CreateAsync(new SwitchAlways(), new FixedPartitioner(problem =>
            Interlocked.Increment(ref plans) == 1 ? Enumerable.Repeat("a", 6) : IdsOf(Everywhere.Partition(problem, default))));
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain");
        await _time.PassAsync();
        using var gate = new Gate();
        cluster.Runtimes["b"].Loading = (partition, token) => Task.Run(() => gate.Pass(partition, token), CancellationToken.None);
        Task asked = deployment.RepartitionAsync().AsTask();
        await gate.Reached.WaitAsync(Cluster.Limit);
        await cluster.AddAsync("d");
        gate.Open();
        await asked.WaitAsync(Cluster.Limit);
        await _time.PassUntilAsync(() => deployment.Plan.Fleet.IndexOf("d") >= 0);
    }

    [Test]
    public async Task Switch_that_hangs_is_given_up_once_what_it_was_decided_on_no_longer_holds()
    {
        await using Cluster cluster = await CreateAsync(new SwitchAlways(), Everywhere);
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain");
        await _time.PassAsync();
        // As over a link that was choked meanwhile: what is to be loaded does not come.
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await cluster.AddAsync("d");
        cluster.Runtimes["d"].Loading = async (_, token) =>
        {
            reached.TrySetResult();
            await Task.Delay(Timeout.Infinite, token);
        };
        await PassTimeUntilAsync(reached.Task);
        cluster.Runtimes["d"].Loading = null;
        await cluster.AddAsync("e");
        for (int i = 0; i < 40; i++)
            await _time.PassAsync();
        Assert.That(cluster.Coordinator.Decisions, Is.Empty, "What came makes nothing worse, so the switch goes on.");

        Task draining = cluster.Coordinator.DrainAgentAsync("b").AsTask();
        await PassTimeUntilAsync(draining);
        await draining;
        await _time.PassUntilAsync(() => deployment.Plan.Fleet.IndexOf("b") < 0 && deployment.Plan.Fleet.IndexOf("e") >= 0);
        RepartitionDecision decision = cluster.Coordinator.Decisions[0];
        Assert.That(decision.Switched, Is.False);
        Assert.That(decision.Reason, Does.Contain("given up").And.Contain("agent 'b'"));
    }

    [Test]
    public async Task Policy_that_throws_keeps_the_plan_and_is_asked_again()
    {
        var policy = new FailsOnce();
        await using Cluster cluster = await CreateAsync(policy, Everywhere);
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain");
        await _time.PassAsync();
        await cluster.AddAsync("d");
        await _time.PassUntilAsync(() => deployment.Plan.Fleet.IndexOf("d") >= 0 && cluster.Coordinator.Decisions[^1].Switched);
        RepartitionDecision[] decisions = [.. cluster.Coordinator.Decisions];
        Assert.That(decisions.Select(static decision => decision.Switched), Is.EqualTo(new[] { false, true }));
        Assert.That(decisions[0].Reason, Does.Contain("A policy's mistake."));
    }

    [Test]
    public async Task Handler_that_throws_stops_neither_others_nor_the_coordinator()
    {
        await using Cluster cluster = await CreateAsync(new SwitchAlways(), Everywhere);
        int told = 0;
        cluster.Coordinator.AgentChanged += static (_, _) => throw new InvalidOperationException("A handler's mistake.");
        cluster.Coordinator.DecisionMade += static (_, _) => throw new InvalidOperationException("A handler's mistake.");
        cluster.Coordinator.AgentChanged += (_, _) => told++;
        cluster.Coordinator.DecisionMade += (_, _) => told++;
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain");
        await _time.PassAsync();
        await cluster.AddAsync("d");
        Assert.That(told, Is.EqualTo(1));
        await _time.PassUntilAsync(() => deployment.Plan.Fleet.IndexOf("d") >= 0 && told == 2);
    }

    [Test]
    public async Task Decision_that_was_put_off_is_taken_for_its_first_cause_and_told_once()
    {
        var policy = new PutsOff(times: 3);
        await using Cluster cluster = await CreateAsync(policy, Everywhere);
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain");
        await _time.PassAsync();
        await cluster.AddAsync("d");
        await _time.PassUntilAsync(() => deployment.Plan.Fleet.IndexOf("d") >= 0 && cluster.Coordinator.Decisions[^1].Switched);
        RepartitionDecision[] decisions = [.. cluster.Coordinator.Decisions];
        Assert.That(decisions, Has.Length.EqualTo(2));
        Assert.That(decisions[0].Repetitions, Is.EqualTo(3));
        Assert.That(decisions[0].Reason, Is.EqualTo("Wait 2 s."));
        Assert.That(decisions.Select(static decision => decision.Trigger), Has.All.EqualTo(RepartitionTrigger.AgentCame));
        Assert.That(decisions.Select(static decision => decision.Cause).Distinct().ToArray(), Is.EqualTo(new[] { "Agent 'd' came." }));
    }

    private static IEnumerable<string> IdsOf(PartitionPlan plan) => plan.Assignment.Select(device => plan.Fleet.Devices[device].Id);

    private async Task<Cluster> CreateAsync(IRepartitionPolicy policy, IPartitioner partitioner) => await Cluster.CreateAsync(Model, options: Cluster.Defaults with
    {
        Partitioner = partitioner,
        TimeProvider = _time,
        // What else this machine does is no part of these tests.
        Adaptation = new AdaptationOptions { Policy = policy, OtherLoadChange = 1, Standby = null },
    });

    private Task PassTimeUntilAsync(Task happens) => _time.PassUntilAsync(() => happens.IsCompleted);

    private sealed class FailsOnce : IRepartitionPolicy
    {
        public string Name => "test";

        private bool _failed;

        public RepartitionVerdict Decide(RepartitionProposal proposal)
        {
            if (_failed)
                return new RepartitionVerdict(true, "Now.");
            _failed = true;
            throw new InvalidOperationException("A policy's mistake.");
        }
    }

    private sealed class PutsOff(int times) : IRepartitionPolicy
    {
        public string Name => "test";

        private int _asked;

        public RepartitionVerdict Decide(RepartitionProposal proposal) =>
            _asked++ < times ? new RepartitionVerdict(false, $"Wait {_asked - 1} s.", TimeSpan.FromSeconds(1)) : new RepartitionVerdict(true, "Now.");
    }
}
