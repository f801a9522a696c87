using EdgeSplit.Agents;
using EdgeSplit.Coordination;
using EdgeSplit.Coordination.Adaptation;
using EdgeSplit.Devices;
using EdgeSplit.Partitioning;
using EdgeSplit.Testing.Conformance;
using EdgeSplit.Testing.Fakes;
using Microsoft.Extensions.Time.Testing;

namespace EdgeSplit.Tests.Coordination.Adaptation;

/// <summary>Links between agents that change while they are in use, while they are idle, and that break.</summary>
public sealed class DirectLinkTests
{
    private static readonly FakeModel Model = FakeModelBuilder.Chain("chain", 2);

    private readonly FakeTimeProvider _time = new();
    private readonly TensorLedger _ledger = new();
    private readonly Dictionary<string, EdgeAgent> _agents = [];
    private readonly Dictionary<string, FlakyAgent> _remote = [];
    private TimeSpan _latency = TimeSpan.FromMilliseconds(1);
    private double _bytesPerSecond = 1e6;
    private bool _isBroken;

    [Test]
    public async Task Delivery_that_takes_longer_corrects_the_link_and_makes_the_coordinator_plan_anew()
    {
        await using Coordinator coordinator = await StartAsync(probeBytesPerSecond: 0);
        Deployment deployment = await coordinator.DeployAsync("chain");
        await RunAsync(deployment, 20);
        await _time.PassAsync();
        Assert.That(coordinator.Decisions, Is.Empty);

        (_latency, _bytesPerSecond) = (TimeSpan.FromMilliseconds(40), 1e4);
        await RunAsync(deployment, 20);
        await PassTimeUntilAsync(() => !coordinator.Decisions.IsEmpty);

        Link link = await LinkAsync(coordinator);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(coordinator.Decisions[0].Trigger, Is.EqualTo(RepartitionTrigger.LinkTime));
            Assert.That(coordinator.Decisions[0].Cause, Does.Match("Stage 0 on 'a' hands tensors to stage 1 on 'b' in at least .* it was 2"));
            Assert.That(link.Latency, Is.EqualTo(TimeSpan.FromMilliseconds(40)));
        }
    }

    [Test]
    public async Task Link_without_tensors_is_probed_and_its_change_makes_the_coordinator_plan_anew()
    {
        await using Coordinator coordinator = await StartAsync();
        await coordinator.DeployAsync("chain");
        await _time.PassAsync();
        _bytesPerSecond = 1e5;
        await PassTimeUntilAsync(() => !coordinator.Decisions.IsEmpty);
        Assert.That(coordinator.Decisions[0].Cause, Does.Match("The link from agent '[ab]' to agent '[ab]' has 0.1 MB/s and 1 ms; it had 1 MB/s and 1 ms."));
        Assert.That((await LinkAsync(coordinator)).BytesPerSecond, Is.InRange(0.9e5, 1.1e5));
    }

    [Test]
    public async Task Way_that_breaks_is_relayed_and_direct_again_when_it_is_found_again()
    {
        await using Coordinator coordinator = await StartAsync(probeBytesPerSecond: 0);
        Deployment deployment = await coordinator.DeployAsync("chain");
        await RunAsync(deployment, 4);
        await _time.PassAsync();
        Assert.That(_deliveries, Is.EqualTo(4));
        _isBroken = true;
        await RunAsync(deployment, 4);
        Assert.That(_deliveries, Is.EqualTo(4));
        await PassTimeUntilAsync(() => !coordinator.Decisions.IsEmpty);
        Assert.That(coordinator.Decisions[0].Cause, Is.EqualTo("Agent 'a' no longer reaches agent 'b' directly."));

        _isBroken = false;
        await PassTimeUntilAsync(() => coordinator.Decisions[^1].Cause == "Agent 'a' reaches agent 'b' directly.");
        await _time.PassAsync();
        await RunAsync(deployment, 4);
        Assert.That(_deliveries, Is.EqualTo(8));
    }

    [Test]
    public async Task CreateProblem_with_links_between_some_agents_lets_the_coordinator_relay_between_the_others()
    {
        await using Coordinator coordinator = await StartAsync();
        await AddAsync(coordinator, "c", address: null);
        PartitionProblem problem = await coordinator.CreateProblemAsync(Model.Graph);
        string[] pairs = [.. problem.DirectPairs.Select(pair => $"{problem.Fleet.Devices[pair.From].Id}{problem.Fleet.Devices[pair.To].Id}").Order()];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(problem.RelayDevice, Is.EqualTo(problem.Fleet.IndexOf("coordinator")));
            Assert.That(pairs, Is.EqualTo(new[] { "ab", "ba", "ca", "cb" }));
        }
    }

    private int _deliveries;

    private async Task<Coordinator> StartAsync(int probeBytesPerSecond = 256 << 10)
    {
        var coordinator = new Coordinator(new FakeModelFormat(Model), Cluster.Defaults with
        {
            TimeProvider = _time,
            Adaptation = new AdaptationOptions { OtherLoadChange = 1, ProbeBytesPerSecond = probeBytesPerSecond },
        });
        await AddAsync(coordinator, "a", "host-a:1");
        await AddAsync(coordinator, "b", "host-b:1");
        return coordinator;
    }

    private async Task AddAsync(Coordinator coordinator, string id, string? address)
    {
        var agent = new EdgeAgent(id, new FakePartitionRuntime { Ledger = _ledger }, new EdgeAgentOptions { Device = new Device { Id = id }, Peers = new Peers(this), TimeProvider = _time });
        _agents.Add(id, agent);
        var remote = new FlakyAgent(agent)
        {
            Address = address,
            // To the coordinator it is far.
            RoundTrip = static payload => TimeSpan.FromMilliseconds(20 + (payload / 1e3)),
            PeerRoundTrip = RoundTrip,
        };
        _remote.Add(id, remote);
        await coordinator.AddAgentAsync(remote);
    }

    private TimeSpan RoundTrip(int payload) => _isBroken
        ? throw new EdgeSplitException(EdgeSplitError.PeerUnavailable, "The way is cut.")
        : (2 * _latency) + TimeSpan.FromSeconds(payload / _bytesPerSecond);

    private static async Task<Link> LinkAsync(Coordinator coordinator)
    {
        PartitionProblem problem = await coordinator.CreateProblemAsync(Model.Graph);
        return problem.Fleet.LinkBetween(problem.Fleet.IndexOf("a"), problem.Fleet.IndexOf("b"));
    }

    private static async Task RunAsync(Deployment deployment, int requests)
    {
        for (int seed = 0; seed < requests; seed++)
        {
            using FinalResult result = await deployment.InferAsync(Model.RandomInputs(seed));
            TensorAssert.AreIdentical(result.Outputs, Model.Run(Model.RandomInputs(seed)));
        }
    }

    private async Task PassTimeUntilAsync(Func<bool> holds)
    {
        using var limit = new CancellationTokenSource(Cluster.Limit);
        while (!holds())
        {
            limit.Token.ThrowIfCancellationRequested();
            _time.Advance(TimeSpan.FromMilliseconds(125));
            await Task.Delay(1);
        }
    }

    /// <summary>Hands tensors on within the process, and lets the time pass that the link takes.</summary>
    private sealed class Peers(DirectLinkTests test) : IAgentPeers
    {
        public async ValueTask DeliverAsync(PeerAddress peer, ActivationDelivery delivery, CancellationToken cancellationToken)
        {
            test._time.Advance(test.RoundTrip((int)delivery.Tensors.Values.Sum(static tensor => tensor.ByteCount)));
            test._deliveries++;
            // The tensors stay the sender's.
            await test._agents[peer.AgentId].DeliverAsync(
                delivery with { Tensors = delivery.Tensors.ToDictionary(static pair => pair.Key, static pair => pair.Value.Clone()) }, cancellationToken);
        }

        public ValueTask<TimeSpan> ProbeAsync(PeerAddress peer, int payloadByteCount, CancellationToken cancellationToken) => new(test.RoundTrip(payloadByteCount));
    }
}
