using EdgeSplit.Agents;
using EdgeSplit.Coordination;
using EdgeSplit.Coordination.Adaptation;
using EdgeSplit.Coordination.Internal;
using EdgeSplit.Devices;
using EdgeSplit.Monitoring;
using EdgeSplit.Partitioning;
using EdgeSplit.Testing.Fakes;
using Microsoft.Extensions.Time.Testing;

namespace EdgeSplit.Tests.Coordination.Adaptation;

public sealed class MemoryTests
{
    private const long Least = 1000;
    private static readonly FakeModel Model = FakeModelBuilder.Chain("chain", 6);

    [Test]
    public void MemoryPressure_takes_three_reports_in_a_row()
    {
        var pressure = new MemoryPressure();
        foreach (long? free in new long?[] { 900, 900, 1000, 900, null, 900, 900 })
            pressure.Add(free, Least);
        Assert.That(pressure.IsShort, Is.False);
        pressure.Add(900, Least);
        Assert.That(pressure.IsShort);
    }

    [Test]
    public void MemoryPressure_is_over_with_twice_as_much()
    {
        var pressure = new MemoryPressure();
        Report(pressure, 900, 3);
        Report(pressure, 1500, 10);
        Assert.That(pressure.IsShort);
        Report(pressure, 2000, 3);
        Assert.That(pressure.IsShort, Is.False);
    }

    [Test]
    public async Task Agent_that_runs_out_of_memory_is_relieved_and_used_again_when_it_has_some()
    {
        var time = new FakeTimeProvider();
        var memory = new ScriptedMemory { FreeBytes = 1 << 20 };
        await using Cluster cluster = await Cluster.CreateAsync(Model, agents: 0, Cluster.Defaults with
        {
            // As many layers on each as its memory allows.
            Partitioner = new FixedPartitioner(static problem =>
            {
                string[] able = [.. problem.Fleet.Devices.Where(static device => device.MemoryBytes > 0).Select(static device => device.Id)];
                return problem.Graph.Layers.Select(layer => able[layer.Index * able.Length / problem.Graph.Layers.Length]);
            }),
            TimeProvider = time,
            Adaptation = new AdaptationOptions { OtherLoadChange = 1, LeastFreeMemoryBytes = Least, Standby = null, Policy = new SwitchAlways() },
        });
        await cluster.AddAsync("a", new EdgeAgentOptions { Device = new Device { Id = "a" }, Monitor = new ScriptedMemory { FreeBytes = 1 << 20 } });
        await cluster.AddAsync("b", new EdgeAgentOptions { Device = new Device { Id = "b" }, Monitor = memory });
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain");
        Assert.That(Used(deployment), Is.EqualTo(new[] { "a", "b" }));

        memory.FreeBytes = 100;
        await time.PassUntilAsync(() => Used(deployment) is ["a"] && !cluster.Coordinator.Decisions.IsEmpty);
        RepartitionDecision decision = cluster.Coordinator.Decisions[^1];
        Assert.That(decision.Trigger, Is.EqualTo(RepartitionTrigger.Memory));
        Assert.That(decision.Cause, Does.StartWith("Agent 'b' has 0 MiB of memory left"));

        memory.FreeBytes = 1 << 20;
        await time.PassUntilAsync(() => Used(deployment).Length == 2);
    }

    [Test]
    public async Task Problem_of_another_model_leaves_out_what_a_deployed_one_takes()
    {
        const long Memory = 1 << 20;
        await using Cluster cluster = await Cluster.CreateAsync(Model, agents: 0, Cluster.Defaults with { Partitioner = FixedPartitioner.Even });
        foreach (string id in new[] { "a", "b" })
            await cluster.AddAsync(id, new EdgeAgentOptions { Device = new Device { Id = id, MemoryBytes = Memory }, Monitor = new ScriptedMemory { FreeBytes = Memory } });
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain");
        cluster.Runtimes["a"].Executing = static (_, _) => Thread.Sleep(5);
        for (int request = 0; request < 10; request++)
            (await deployment.InferAsync(Model.RandomInputs(request))).Dispose();

        PartitionProblem other = await cluster.Coordinator.CreateProblemAsync(Model.Graph), own = await deployment.CreateProblemAsync(null, default);

        long weights = deployment.Plan.Stages[0].Layers.SelectMany(layer => Model.Graph.Layers[layer].Weights).Distinct().Sum(static weight => Model.Graph.Weights[weight].ByteCount);
        Assert.That(own.Fleet.Devices.Select(static device => device.MemoryBytes), Has.All.EqualTo(Memory));
        Assert.That(own.Fleet.Devices.Select(static device => device.CurrentLoad), Has.All.Zero);
        Assert.That(other.Fleet.Devices[0].MemoryBytes, Is.InRange(Memory - weights - 1000, Memory - weights - 1));
        Assert.That(other.Fleet.Devices[0].CurrentLoad, Is.InRange(0.2, 0.95));
        Assert.That(other.Fleet.Devices[1].CurrentLoad, Is.LessThan(other.Fleet.Devices[0].CurrentLoad));
    }

    private static void Report(MemoryPressure pressure, long free, int times)
    {
        for (int report = 0; report < times; report++)
            pressure.Add(free, Least);
    }

    private static string[] Used(Deployment deployment)
    {
        PartitionPlan plan = deployment.Plan;
        return [.. plan.Stages.Select(stage => plan.Fleet.Devices[stage.Device].Id).Distinct().Order()];
    }

    private sealed class ScriptedMemory : IResourceMonitor
    {
        public long FreeBytes { get; set; }

        public ResourceSample Sample() => new() { AvailableMemoryBytes = FreeBytes };
    }
}
