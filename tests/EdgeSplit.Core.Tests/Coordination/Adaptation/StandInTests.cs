using EdgeSplit.Agents;
using EdgeSplit.Coordination;
using EdgeSplit.Coordination.Adaptation;
using EdgeSplit.Coordination.Membership;
using EdgeSplit.Costs;
using EdgeSplit.Devices;
using EdgeSplit.Tensors;
using EdgeSplit.Testing.Conformance;
using EdgeSplit.Testing.Fakes;
using Microsoft.Extensions.Time.Testing;

namespace EdgeSplit.Tests.Coordination.Adaptation;

/// <summary>Tensors no longer arrive over a link, while its agent still answers reports.</summary>
public sealed class StandInTests
{
    private static readonly FakeModel Model = FakeModelBuilder.Chain("chain", 6);
    private readonly FakeTimeProvider _time = new();
    private readonly TaskCompletionSource _never = new();

    [Test]
    public async Task Requests_that_wait_are_answered_by_another_plan()
    {
        await using Cluster cluster = await CreateAsync();
        using var gate = new Gate();
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain");
        await StandByAsync(deployment);
        Choke(cluster, "b", gate);
        IReadOnlyDictionary<string, Tensor> inputs = Model.RandomInputs(0);
        ValueTask<FinalResult> answering = deployment.InferAsync(inputs);
        await gate.Reached.WaitAsync(Cluster.Limit);
        await _time.PassUntilAsync(() => answering.IsCompleted);

        using (FinalResult result = await answering)
        {
            Assert.That(result.Epoch, Is.GreaterThan(1));
            TensorAssert.AreIdentical(result.Outputs, Model.Run(inputs));
        }
        // In virtual time, which does not wait for what runs meanwhile, the next plan may be there before what stands by is looked at.
        await _time.PassUntilAsync(() => cluster.Coordinator.Decisions.Any(static decision => decision is { Switched: true, Trigger: RepartitionTrigger.LinkTime }));
        Assert.That(cluster.Coordinator.AgentStates.Single(static agent => agent.Id == "b").State, Is.EqualTo(AgentState.Available));
    }

    [Test]
    public async Task Switch_over_the_link_holds_nothing_up()
    {
        await using Cluster cluster = await CreateAsync();
        using var gate = new Gate();
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain");
        await StandByAsync(deployment);
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Choke(cluster, "b", gate);
        cluster.Runtimes["b"].Loading = async (_, token) =>
        {
            reached.TrySetResult();
            await _never.Task.WaitAsync(token);
        };
        await AddAsync(cluster, "d");
        await _time.PassUntilAsync(() => reached.Task.IsCompleted);
        ValueTask<FinalResult> answering = deployment.InferAsync(Model.RandomInputs(0));
        await gate.Reached.WaitAsync(Cluster.Limit);
        await _time.PassUntilAsync(() => answering.IsCompleted);
        using FinalResult result = await answering;
        Assert.That(result.Epoch, Is.GreaterThan(1));
        await _time.PassUntilAsync(() => cluster.Coordinator.Decisions.Any(static decision => decision.Trigger == RepartitionTrigger.AgentCame));
        Assert.That(cluster.Coordinator.Decisions.First(static decision => decision.Trigger == RepartitionTrigger.AgentCame).Switched, Is.False);
    }

    [Test]
    public async Task Agent_whose_link_is_well_may_take_long()
    {
        await using Cluster cluster = await CreateAsync();
        using var gate = new Gate();
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain");
        await StandByAsync(deployment);
        cluster.Runtimes["b"].Executing = gate.Pass;
        ValueTask<FinalResult> answering = deployment.InferAsync(Model.RandomInputs(0));
        await gate.Reached.WaitAsync(Cluster.Limit);
        await _time.PassAsync();
        Assert.That(cluster.Coordinator.Decisions, Is.Empty);
        gate.Open();
        using FinalResult result = await answering.AsTask().WaitAsync(Cluster.Limit);
        Assert.That(result.Epoch, Is.EqualTo(1));
    }

    private static FixedPartitioner EvenOverFastLinks { get; } = new(problem =>
    {
        string[] devices = [.. problem.Fleet.Devices.Where((agent, device) => agent.RunsLayers && problem.Fleet.LinkBetween(problem.SourceDevice, device).BytesPerSecond > 1e6).Select(static device => device.Id)];
        return problem.Graph.Layers.Select(layer => devices[layer.Index * devices.Length / problem.Graph.Layers.Length]);
    });

    /// <summary>What is sent to an agent does not arrive any more, but for what is small.</summary>
    private void Choke(Cluster cluster, string id, Gate gate)
    {
        cluster.Runtimes[id].Executing = gate.Pass;
        cluster.Agents[id].Probing = token => _never.Task.WaitAsync(token);
    }

    private Task StandByAsync(Deployment deployment) =>
        _time.PassUntilAsync(() => deployment.StandbyPlans.Length == 3 && deployment.StandbyPlans.All(static plan => plan.Readiness == StandbyReadiness.Loaded));

    private async Task<Cluster> CreateAsync()
    {
        Cluster cluster = await Cluster.CreateAsync(Model, agents: 0, Cluster.Defaults with
        {
            Partitioner = EvenOverFastLinks,
            CostModel = new WeightedCostModel(),
            TimeProvider = _time,
            Adaptation = new AdaptationOptions { OtherLoadChange = 1, Policy = new SwitchAlways() },
        });
        foreach (string id in new[] { "a", "b", "c" })
            await AddAsync(cluster, id);
        return cluster;
    }

    private static Task AddAsync(Cluster cluster, string id) => cluster.AddAsync(
        id, new EdgeAgentOptions { Device = new Device { Id = id, MemoryBytes = long.MaxValue } }, static bytes => TimeSpan.FromMilliseconds(1) + TimeSpan.FromSeconds(bytes / 25e6));
}
