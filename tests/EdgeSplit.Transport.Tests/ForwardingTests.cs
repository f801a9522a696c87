using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Runtime.InteropServices;
using EdgeSplit.Agents;
using EdgeSplit.Compression;
using EdgeSplit.Coordination;
using EdgeSplit.Devices;
using EdgeSplit.Tensors;
using EdgeSplit.Testing.Conformance;
using EdgeSplit.Testing.Fakes;
using EdgeSplit.Transport.Security;

namespace EdgeSplit.Transport.Tests;

/// <summary>Agents behind servers hand tensors to each other; the coordinator sees only what enters and leaves the model.</summary>
[CancelAfter(60_000)]
public sealed class ForwardingTests
{
    private static readonly FakeModel Chain = FakeModelBuilder.Chain("chain", 6);

    // Two branches, one of which feeds an output as well; what "a" makes is read by three stages.
    private static readonly FakeModel Branches = new FakeModelBuilder("branches").Input("x", -1, 3)
        .Mix("a", ["x"], "one").Mix("b", ["one"], "two").Mix("c", ["one", "x"], "three").Mix("d", ["two", "three", "one"], "four").Output("four", "two").Build();

    private readonly List<IAsyncDisposable> _owned = [];
    private readonly Dictionary<string, SwitchedPeers> _peers = [];
    private readonly TensorLedger _ledger = new();

    [TearDown]
    public async Task EndAll()
    {
        foreach (IAsyncDisposable owned in Enumerable.Reverse(_owned))
            await owned.DisposeAsync();
        Assert.That(_ledger.Outstanding, Is.Zero, "Tensors leak.");
    }

    [Test]
    public async Task Chain_over_three_agents_passes_between_them([Values(1, 8)] int inFlight, CancellationToken cancellationToken)
    {
        Deployment deployment = await DeployAsync(Chain, 3, cancellationToken);
        await RunAsync(deployment, Chain, 16, inFlight, cancellationToken);
        // Each layer but the first is on another agent than the one before.
        Assert.That(_peers.Values.Sum(static peers => peers.Deliveries), Is.EqualTo(16 * 5));
    }

    [Test]
    public async Task Branches_outputs_on_the_way_and_several_readers_are_served(CancellationToken cancellationToken)
    {
        Deployment deployment = await DeployAsync(Branches, 3, cancellationToken);
        await RunAsync(deployment, Branches, 16, 4, cancellationToken);
        Assert.That(_peers.Values.Sum(static peers => peers.Deliveries), Is.GreaterThanOrEqualTo(16 * 4));
    }

    [Test]
    public async Task Value_for_a_later_stage_of_the_same_agent_stays_there(CancellationToken cancellationToken)
    {
        // "a" and "c" are on the first agent, "b" between them on the second; "c" reads what both made.
        FakeModel model = new FakeModelBuilder("skip").Input("x", -1, 3).Mix("a", ["x"], "one").Mix("b", ["one"], "two").Mix("c", ["two", "one"], "three").Output("three").Build();
        Deployment deployment = await DeployAsync(model, 2, cancellationToken);
        long received = 0;
        using var listener = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == EdgeSplitTelemetry.SourceName)
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((_, bytes, tags, _) =>
        {
            KeyValuePair<string, object?>[] all = tags.ToArray();
            if (all.Contains(new("edgesplit.model.name", "skip")) && all.Contains(new("network.io.direction", "receive")))
                Interlocked.Add(ref received, bytes);
        });
        listener.Start();

        await RunAsync(deployment, model, 8, 4, cancellationToken);

        Assert.That(deployment.Plan.Stages.Length, Is.EqualTo(3));
        Assert.That(_peers["a"].Deliveries, Is.EqualTo(8), "To the second agent alone.");
        long expected = Enumerable.Range(0, 8).Sum(seed => model.Run(model.RandomInputs(seed)).Values.Sum(static tensor => tensor.ByteCount));
        Assert.That(received, Is.EqualTo(expected), "Only the model's output came back.");
    }

    [Test]
    public async Task Agents_that_do_not_reach_each_other_are_relayed(CancellationToken cancellationToken)
    {
        Deployment deployment = await DeployAsync(Chain, 3, cancellationToken, reach: false);
        await RunAsync(deployment, Chain, 8, 4, cancellationToken);
        Assert.That(_peers.Values.Sum(static peers => peers.Deliveries), Is.Zero);
    }

    [Test]
    public async Task Relay_can_be_asked_for(CancellationToken cancellationToken)
    {
        Deployment deployment = await DeployAsync(Chain, 3, cancellationToken, options: new CoordinatorOptions { ForwardsDirectly = false });
        await RunAsync(deployment, Chain, 8, 4, cancellationToken);
        Assert.That(_peers.Values.Sum(static peers => peers.Deliveries + peers.Probes), Is.Zero);
    }

    [Test]
    public async Task Way_that_breaks_while_requests_run_is_left_and_no_request_is_lost(CancellationToken cancellationToken)
    {
        Deployment deployment = await DeployAsync(Chain, 3, cancellationToken);
        await RunAsync(deployment, Chain, 4, 4, cancellationToken);
        _peers["b"].IsBroken = true;
        await RunAsync(deployment, Chain, 16, 8, cancellationToken);
        int delivered = _peers["b"].Deliveries;
        await RunAsync(deployment, Chain, 4, 4, cancellationToken);
        Assert.That(_peers["b"].Deliveries, Is.EqualTo(delivered), "It goes through the coordinator by now.");
        Assert.That(_peers["a"].Deliveries, Is.GreaterThan(0));
    }

    [Test]
    public async Task Agent_that_is_lost_loses_no_request(CancellationToken cancellationToken)
    {
        Deployment deployment = await DeployAsync(Chain, 4, cancellationToken);
        await RunAsync(deployment, Chain, 4, 4, cancellationToken);
        Task running = RunAsync(deployment, Chain, 64, 8, cancellationToken);
        await _servers["c"].DisposeAsync();
        await running;
        Assert.That(deployment.Plan.Fleet.IndexOf("c"), Is.EqualTo(-1));
    }

    [Test]
    public async Task Request_that_is_given_up_leaves_nothing(CancellationToken cancellationToken)
    {
        using var gate = new Gate();
        Deployment deployment = await DeployAsync(Chain, 3, cancellationToken, executing: gate.Pass);
        using var giveUp = new CancellationTokenSource();
        Task<FinalResult> request = deployment.InferAsync(Chain.RandomInputs(1), giveUp.Token).AsTask();
        await gate.Reached.WaitAsync(cancellationToken);
        await giveUp.CancelAsync();
        Assert.That(async () => await request, Throws.InstanceOf<OperationCanceledException>());
        gate.Open();
        await RunAsync(deployment, Chain, 4, 2, cancellationToken);
    }

    [Test]
    public async Task Agents_that_join_and_listen_pass_tensors_between_them([Values] bool coordinatorFindsAddress, CancellationToken cancellationToken)
    {
        await using var listener = new AgentListener();
        await listener.StartAsync(cancellationToken);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var joined = new List<Task>();
        Deployment deployment = await DeployAsync(Chain, 3, cancellationToken, connect: async server =>
        {
            string address = coordinatorFindsAddress ? $"*:{((System.Net.IPEndPoint)server.EndPoint).Port}" : server.PeerAddress;
            joined.Add(new AgentDialer(_agents[^1], listener.EndPoint, new AgentDialerOptions { PeerAddress = address }).RunAsync(stopping.Token));
            return await listener.AcceptAsync(cancellationToken);
        });
        await RunAsync(deployment, Chain, 8, 4, cancellationToken);
        Assert.That(_peers.Values.Sum(static peers => peers.Deliveries), Is.EqualTo(8 * 5));
        await stopping.CancelAsync();
        foreach (Task dialing in joined)
            Assert.That(async () => await dialing, Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task Agents_that_join_and_do_not_listen_are_relayed(CancellationToken cancellationToken)
    {
        await using var listener = new AgentListener();
        await listener.StartAsync(cancellationToken);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var joined = new List<Task>();
        Deployment deployment = await DeployAsync(Chain, 2, cancellationToken, connect: async _ =>
        {
            joined.Add(new AgentDialer(_agents[^1], listener.EndPoint).RunAsync(stopping.Token));
            return await listener.AcceptAsync(cancellationToken);
        });
        await RunAsync(deployment, Chain, 4, 4, cancellationToken);
        Assert.That(_peers.Values.Sum(static peers => peers.Deliveries + peers.Probes), Is.Zero);
        await stopping.CancelAsync();
        foreach (Task dialing in joined)
            Assert.That(async () => await dialing, Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task Deliveries_are_encoded_as_the_budget_allows([Values(ActivationEncoding.Lz4, ActivationEncoding.Float16)] ActivationEncoding encoding, CancellationToken cancellationToken)
    {
        var compression = new CompressionOptions
        {
            ErrorBudget = encoding == ActivationEncoding.Lz4 ? 0 : 1e-3,
            // On loopback nothing is gained in truth; here it costs nothing.
            Choices = [new ActivationCompression { Encoding = encoding, BytesRatio = 0.5, EncodeBytesPerSecond = 1e18, DecodeBytesPerSecond = 1e18, LargestError = encoding == ActivationEncoding.Lz4 ? 0 : 5e-4 }],
        };
        Deployment deployment = await DeployAsync(Chain, 3, cancellationToken, options: new CoordinatorOptions { Compression = compression });
        IReadOnlyDictionary<string, Tensor> inputs = Chain.RandomInputs(1);
        using FinalResult result = await deployment.InferAsync(inputs, cancellationToken);
        IReadOnlyDictionary<string, Tensor> expected = Chain.Run(inputs);
        foreach ((string name, Tensor tensor) in expected)
        {
            ReadOnlySpan<float> exact = MemoryMarshal.Cast<byte, float>(tensor.Bytes.Span), got = MemoryMarshal.Cast<byte, float>(result.Outputs[name].Bytes.Span);
            for (int i = 0; i < exact.Length; i++)
                Assert.That(got[i], Is.EqualTo(exact[i]).Within(encoding == ActivationEncoding.Lz4 ? 0 : 2 * Math.Abs(exact[i]) * 0.01 + 0.01));
        }
        Assert.That(_peers.Values.SelectMany(static peers => peers.Encodings), Is.EqualTo(Enumerable.Repeat(encoding, 5)));
    }

    [Test]
    public async Task Delivery_without_the_token_is_refused_and_nothing_is_kept(CancellationToken cancellationToken)
    {
        await using var agent = new EdgeAgent("a", new FakePartitionRuntime(), new EdgeAgentOptions { Device = new Device { Id = "a" } });
        await using var server = new AgentServer(agent, new AgentServerOptions { JoinToken = new JoinToken(JoinToken.Create()) });
        await server.StartAsync(cancellationToken);
        await using var stranger = new TcpAgentPeers(new RemoteEdgeAgentOptions { JoinToken = new JoinToken(JoinToken.Create()) });
        using Tensor tensor = _ledger.Allocate(TensorElementType.Float, new TensorShape(3), out _);
        await ErrorAssert.FailsWithAsync(EdgeSplitError.AccessDenied, () => stranger.DeliverAsync(
            new PeerAddress("a", server.PeerAddress), new ActivationDelivery(Guid.NewGuid(), "p", new Dictionary<string, Tensor> { ["x"] = tensor }), cancellationToken).AsTask());
    }

    [Test]
    public async Task Deliveries_of_a_peer_beyond_the_limit_are_refused_and_the_agent_goes_on(CancellationToken cancellationToken)
    {
        var pool = new TensorBufferPool();
        await using var agent = new EdgeAgent("a", new FakePartitionRuntime(), new EdgeAgentOptions { Device = new Device { Id = "a" }, MaxDeliveredBytes = 1 << 20 });
        await using (var server = new AgentServer(agent, new AgentServerOptions { Pool = pool }))
        {
            await server.StartAsync(cancellationToken);
            await using var peers = new TcpAgentPeers();
            var address = new PeerAddress("a", server.PeerAddress);
            using Tensor tensor = Tensor.Allocate(TensorElementType.UInt8, new TensorShape(300_000), out Memory<byte> bytes);
            bytes.Span.Clear();
            int taken = 0;
            await ErrorAssert.FailsWithAsync(EdgeSplitError.ResourceExhausted, async () =>
            {
                for (; taken < 100; taken++)
                    await peers.DeliverAsync(address, new ActivationDelivery(Guid.NewGuid(), "p", new Dictionary<string, Tensor> { ["x"] = tensor }), cancellationToken);
            });
            Assert.That(taken, Is.EqualTo(3));
            Assert.That(await peers.ProbeAsync(address, 1000, cancellationToken), Is.GreaterThan(TimeSpan.Zero));
        }
        await agent.DisposeAsync();
        Assert.That(pool.RentedBuffers, Is.Zero);
    }

    [Test]
    public async Task Delivery_to_an_agent_of_another_id_is_refused(CancellationToken cancellationToken)
    {
        (AgentServer server, EdgeAgent _) = await StartAgentAsync("a", null);
        await using var peers = new TcpAgentPeers();
        EdgeSplitException exception = await ErrorAssert.FailsWithAsync(
            EdgeSplitError.AgentUnavailable, () => peers.ProbeAsync(new PeerAddress("b", HostAndPort.Format(server.EndPoint)), 0, cancellationToken).AsTask());
        Assert.That(exception.Message, Does.Contain("'a' answers, not 'b'"));
    }

    private readonly Dictionary<string, AgentServer> _servers = [];
    private readonly List<EdgeAgent> _agents = [];

    private async Task<(AgentServer Server, EdgeAgent Agent)> StartAgentAsync(string id, Action<EdgeSplit.Models.ModelPartition, CancellationToken>? executing)
    {
        var connections = new TcpAgentPeers();
        SwitchedPeers peers = _peers[id] = new SwitchedPeers(connections);
        var agent = new EdgeAgent(id, new FakePartitionRuntime { Ledger = _ledger, Executing = executing }, new EdgeAgentOptions { Device = new Device { Id = id }, Peers = peers });
        _agents.Add(agent);
        AgentServer server = _servers[id] = new AgentServer(agent);
        await server.StartAsync();
        _owned.AddRange([connections, agent, server]);
        return (server, agent);
    }

    private async Task<Deployment> DeployAsync(
        FakeModel model, int agents, CancellationToken cancellationToken, bool reach = true, CoordinatorOptions? options = null, Action<EdgeSplit.Models.ModelPartition, CancellationToken>? executing = null,
        Func<AgentServer, ValueTask<RemoteEdgeAgent>>? connect = null)
    {
        connect ??= server => RemoteEdgeAgent.ConnectAsync(server.EndPoint, null, cancellationToken);
        var coordinator = new Coordinator(new FakeModelFormat(model), (options ?? new CoordinatorOptions()) with
        {
            Partitioner = FixedPartitioner.RoundRobin,
            CostModel = new FreeCostModel(),
            Adaptation = null,
        });
        for (int i = 0; i < agents; i++)
        {
            string id = ((char)('a' + i)).ToString();
            (AgentServer server, EdgeAgent _) = await StartAgentAsync(id, executing);
            _peers[id].IsBroken = !reach;
            await coordinator.AddAgentAsync(await connect(server), cancellationToken);
        }
        _owned.Add(coordinator);
        return await coordinator.DeployAsync(model.Graph.Name, null, cancellationToken);
    }

    private static async Task RunAsync(Deployment deployment, FakeModel model, int requests, int inFlight, CancellationToken cancellationToken) =>
        await Parallel.ForEachAsync(
            Enumerable.Range(0, requests),
            new ParallelOptions { MaxDegreeOfParallelism = inFlight, CancellationToken = cancellationToken },
            async (seed, token) =>
            {
                IReadOnlyDictionary<string, Tensor> inputs = model.RandomInputs(seed);
                using FinalResult result = await deployment.InferAsync(inputs, token);
                TensorAssert.AreIdentical(result.Outputs, model.Run(inputs));
            });

    /// <summary>Counts what passes to other agents, and can be cut.</summary>
    private sealed class SwitchedPeers(IAgentPeers inner) : IAgentPeers
    {
        private int _deliveries;
        private int _probes;

        public int Deliveries => _deliveries;

        public int Probes => _probes;

        public ConcurrentQueue<ActivationEncoding> Encodings { get; } = new();

        public bool IsBroken { get; set; }

        public ValueTask DeliverAsync(PeerAddress peer, ActivationDelivery delivery, CancellationToken cancellationToken)
        {
            ThrowIfBroken();
            Interlocked.Increment(ref _deliveries);
            Encodings.Enqueue(delivery.Encoding);
            return inner.DeliverAsync(peer, delivery, cancellationToken);
        }

        public ValueTask<TimeSpan> ProbeAsync(PeerAddress peer, int payloadByteCount, CancellationToken cancellationToken)
        {
            ThrowIfBroken();
            Interlocked.Increment(ref _probes);
            return inner.ProbeAsync(peer, payloadByteCount, cancellationToken);
        }

        private void ThrowIfBroken()
        {
            if (IsBroken)
                throw new EdgeSplitException(EdgeSplitError.AgentUnavailable, "The way is cut.");
        }
    }
}
