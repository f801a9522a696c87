using EdgeSplit.Agents;
using EdgeSplit.Coordination;
using EdgeSplit.Coordination.Adaptation;
using EdgeSplit.Devices;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;
using EdgeSplit.Testing.Conformance;
using EdgeSplit.Testing.Fakes;
using Microsoft.Extensions.Time.Testing;

namespace EdgeSplit.Tests.Coordination.Adaptation;

public sealed class StandbyTests
{
    private static readonly FakeModel Model = FakeModelBuilder.Chain("chain", 6);
    private readonly FakeTimeProvider _time = new();

    [Test]
    public async Task Agent_is_lost_and_another_that_stood_by_serves_without_loading_anything()
    {
        await using Cluster cluster = await CreateAsync(new StandbyOptions());
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain");
        await _time.PassUntilAsync(() => deployment.StandbyPlans.Length == 3 && deployment.StandbyPlans.All(static plan => plan.Readiness == StandbyReadiness.Loaded));
        int loads = Loads(cluster);

        cluster.Agents["b"].Cut();
        await InferAsync(deployment, epoch: 2);

        Assert.That(Loads(cluster), Is.EqualTo(loads));
        Assert.That(deployment.Plan.Stages.Select(stage => deployment.Plan.Fleet.Devices[stage.Device].Id), Has.None.EqualTo("b"));
        Assert.That(cluster.Coordinator.Decisions[^1].Reason, Does.StartWith("One agent takes over at once"));
    }

    [Test]
    public async Task Agent_is_lost_and_a_better_plan_is_looked_for_after_the_take_over()
    {
        await using Cluster cluster = await CreateAsync(new StandbyOptions());
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain");
        await _time.PassUntilAsync(() => deployment.StandbyPlans.Length == 3);
        cluster.Agents["b"].Cut();
        await InferAsync(deployment, epoch: 2);
        await _time.PassUntilAsync(() => deployment.Epoch == 3);
        // What the partitioner gives: three layers each.
        Assert.That(deployment.Plan.Stages.Select(static stage => stage.Layers.Length), Is.EqualTo(new[] { 3, 3 }));
        Assert.That(cluster.Coordinator.Decisions[^1].Trigger, Is.EqualTo(RepartitionTrigger.AgentWent));
        await InferAsync(deployment, epoch: 3);
    }

    [Test]
    public async Task Agent_is_lost_before_anything_stands_by_and_only_one_other_loads()
    {
        await using Cluster cluster = await CreateAsync(new StandbyOptions());
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain");
        int loads = Loads(cluster);
        Assert.That(UrgentLoads(), Is.Zero);
        cluster.Agents["b"].Cut();
        await InferAsync(deployment, epoch: 2);
        Assert.That(Loads(cluster), Is.EqualTo(loads + 1));
        Assert.That(UrgentLoads(), Is.EqualTo(1));

        int UrgentLoads() => cluster.Runtimes.Values.Sum(static runtime => runtime.UrgentLoads);
    }

    [Test]
    public async Task Weights_alone_are_fetched_where_that_is_asked_for()
    {
        await using Cluster cluster = await CreateAsync(new StandbyOptions { Readiness = StandbyReadiness.Fetched });
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain");
        int loads = Loads(cluster);
        await _time.PassUntilAsync(() => deployment.StandbyPlans.Length == 3 && deployment.StandbyPlans.All(static plan => plan.Readiness == StandbyReadiness.Fetched));
        Assert.That(Loads(cluster), Is.EqualTo(loads));
    }

    [Test]
    public async Task Partitions_that_memory_is_too_short_for_do_not_stand_by_loaded()
    {
        await using Cluster cluster = await CreateAsync(new StandbyOptions { MemoryShare = 0.005 }, memoryBytes: 4000);
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain");
        await _time.PassUntilAsync(() => deployment.StandbyPlans.Length == 3 && deployment.StandbyPlans.All(static plan => plan.Readiness == StandbyReadiness.Fetched));
        Assert.That(cluster.Runtimes.Values.Sum(static runtime => runtime.LiveExecutors), Is.EqualTo(3));
    }

    [TestCase(long.MaxValue, true)]
    [TestCase(0, false)]
    public async Task Weights_of_a_small_model_are_sent_ahead_to_all_agents(long spreadBytes, bool areSent)
    {
        await using Cluster cluster = await CreateAsync(new StandbyOptions { SpreadBytes = spreadBytes });
        using var folder = new TemporaryFolder();
        var store = new FolderBlobStore(folder.Path);
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain");
        await cluster.Coordinator.AddAgentAsync(new FlakyAgent(new EdgeAgent(
            "idle", new FakePartitionRuntime { Ledger = cluster.Ledger }, new EdgeAgentOptions { BlobStore = store, Device = new Device { Id = "idle" } })));
        await _time.PassUntilAsync(() => deployment.StandbyPlans.Length > 0 && deployment.StandbyPlans.All(static plan => plan.Readiness == StandbyReadiness.Loaded));
        if (areSent)
            await _time.PassUntilAsync(() => Model.Whole.Blobs.All(store.Contains));
        else
            Assert.That(Model.Whole.Blobs.Count(store.Contains), Is.LessThan(Model.Whole.Blobs.Length));
    }

    [Test]
    public async Task What_stands_by_changes_with_the_plan()
    {
        await using Cluster cluster = await CreateAsync(new StandbyOptions());
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain");
        await _time.PassUntilAsync(() => deployment.StandbyPlans.Length == 3 && deployment.StandbyPlans.All(static plan => plan.Readiness == StandbyReadiness.Loaded));
        await deployment.RepartitionAsync(FixedPartitioner.Plan(await cluster.Coordinator.CreateProblemAsync(Model.Graph), ["a", "a", "a", "c", "c", "c"]));
        // One stage on each of two agents, and one take-over for each.
        await _time.PassUntilAsync(() => deployment.StandbyPlans.Length == 2 && deployment.StandbyPlans.All(static plan => plan.Readiness == StandbyReadiness.Loaded));
        Assert.That(deployment.StandbyPlans.Select(static plan => plan.LostAgentId).Order(), Is.EqualTo(new[] { "a", "c" }));
        Assert.That(cluster.Runtimes.Values.Sum(static runtime => runtime.LiveExecutors), Is.EqualTo(4));
    }

    [Test]
    public async Task Loss_does_not_wait_for_a_switch_that_nobody_needs()
    {
        await using Cluster cluster = await CreateAsync(new StandbyOptions());
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain");
        using var gate = new Gate();
        cluster.Runtimes["c"].Loading = (partition, token) => Task.Run(() => gate.Pass(partition, token), CancellationToken.None).WaitAsync(token);
        await cluster.AddAsync("d");
        await _time.PassUntilAsync(() => gate.Reached.IsCompleted);
        cluster.Agents["b"].Cut();
        cluster.Runtimes["c"].Loading = null;
        await InferAsync(deployment, epoch: 2);
        gate.Open();
    }

    private static int Loads(Cluster cluster) => cluster.Runtimes.Values.Sum(static runtime => runtime.Loads);

    private static async Task InferAsync(Deployment deployment, long epoch)
    {
        IReadOnlyDictionary<string, Tensor> inputs = Model.RandomInputs(0);
        using FinalResult result = await deployment.InferAsync(inputs).AsTask().WaitAsync(Cluster.Limit);
        Assert.That(result.Epoch, Is.EqualTo(epoch));
        TensorAssert.AreIdentical(result.Outputs, Model.Run(inputs));
    }

    private async Task<Cluster> CreateAsync(StandbyOptions standby, long memoryBytes = long.MaxValue)
    {
        Cluster cluster = await Cluster.CreateAsync(Model, agents: 0, Cluster.Defaults with
        {
            Partitioner = FixedPartitioner.Even,
            TimeProvider = _time,
            Adaptation = new AdaptationOptions { OtherLoadChange = 1, Policy = new SwitchAlways(), Standby = standby },
        });
        foreach (string id in new[] { "a", "b", "c" })
            await cluster.AddAsync(id, new EdgeAgentOptions { Device = new Device { Id = id, MemoryBytes = memoryBytes } });
        return cluster;
    }
}
