using EdgeSplit.Agents;
using EdgeSplit.Coordination;
using EdgeSplit.Devices;
using EdgeSplit.Partitioning;
using EdgeSplit.Tensors;
using EdgeSplit.Testing.Conformance;
using EdgeSplit.Testing.Fakes;

namespace EdgeSplit.Tests.Coordination;

public sealed class RepartitionTests
{
    private static readonly FakeModel Model = FakeModelBuilder.Chain("chain", 6);

    [Test]
    public async Task Repartition_under_load_loses_no_request_and_unloads_every_old_plan()
    {
        int turn = 0;
        var turning = new FixedPartitioner(problem =>
        {
            int shift = Interlocked.Increment(ref turn);
            return problem.Graph.Layers.Select(layer => problem.Fleet.Devices[(layer.Index / 2 + shift) % problem.Fleet.Devices.Length].Id);
        });
        await using Cluster cluster = await Cluster.CreateAsync(Model, options: Cluster.Defaults with { Partitioner = turning });
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain");
        using var stop = new CancellationTokenSource();
        var epochs = new HashSet<long>();
        Task[] clients = [.. Enumerable.Range(0, 4).Select(client => Task.Run(async () =>
        {
            long last = 0;
            for (int i = 0; !stop.IsCancellationRequested; i++)
            {
                IReadOnlyDictionary<string, Tensor> inputs = Model.RandomInputs(client * 1000 + i);
                using FinalResult result = await deployment.InferAsync(inputs);
                TensorAssert.AreIdentical(result.Outputs, Model.Run(inputs));
                Assert.That(result.Epoch, Is.GreaterThanOrEqualTo(last));
                last = result.Epoch;
                lock (epochs)
                    epochs.Add(last);
            }
        }))];
        const int Switches = 100;
        for (int i = 0; i < Switches; i++)
            await deployment.RepartitionAsync().AsTask().WaitAsync(Cluster.Limit);
        await stop.CancelAsync();
        await Task.WhenAll(clients).WaitAsync(Cluster.Limit);
        Assert.That(deployment.Epoch, Is.EqualTo(Switches + 1));
        Assert.That(epochs, Has.Count.GreaterThan(1));
        Assert.That(cluster.Runtimes.Values.Sum(static runtime => runtime.LiveExecutors), Is.EqualTo(deployment.Plan.Stages.Length));
    }

    [Test]
    public async Task Repartition_lets_requests_of_the_old_plan_end_on_it()
    {
        await using Cluster cluster = await Cluster.CreateAsync(Model);
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain");
        using var gate = new Gate();
        cluster.Runtimes["b"].Executing = gate.Pass;
        IReadOnlyDictionary<string, Tensor> inputs = Model.RandomInputs(0);
        Task<FinalResult> old = deployment.InferAsync(inputs).AsTask();
        await gate.Reached.WaitAsync(Cluster.Limit);

        PartitionProblem problem = await cluster.Coordinator.CreateProblemAsync(Model.Graph);
        Task switching = deployment.RepartitionAsync(FixedPartitioner.Plan(problem, Enumerable.Repeat("c", 6))).AsTask();
        while (deployment.Epoch == 1)
            await Task.Yield();
        using (FinalResult result = await deployment.InferAsync(inputs).AsTask().WaitAsync(Cluster.Limit))
            Assert.That(result.Epoch, Is.EqualTo(2));
        Assert.That(switching.IsCompleted, Is.False);
        gate.Open();
        using (FinalResult result = await old.WaitAsync(Cluster.Limit))
        {
            Assert.That(result.Epoch, Is.EqualTo(1));
            TensorAssert.AreIdentical(result.Outputs, Model.Run(inputs));
        }
        await switching.WaitAsync(Cluster.Limit);
        Assert.That(cluster.Runtimes["b"].LiveExecutors, Is.Zero);
    }

    [Test]
    public async Task Repartition_that_fails_keeps_the_old_plan()
    {
        await using Cluster cluster = await Cluster.CreateAsync(Model);
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain");
        PartitionPlan before = deployment.Plan;
        cluster.Runtimes["c"].Loading = static (_, _) => throw new EdgeSplitException(EdgeSplitError.ResourceExhausted, "no room");
        PartitionProblem problem = await cluster.Coordinator.CreateProblemAsync(Model.Graph);
        await ErrorAssert.FailsWithAsync(
            EdgeSplitError.ResourceExhausted,
            () => deployment.RepartitionAsync(FixedPartitioner.Plan(problem, ["a", "a", "b", "b", "c", "c"])).AsTask());
        Assert.That(deployment.Plan, Is.SameAs(before));
        Assert.That(cluster.Runtimes.Values.Sum(static runtime => runtime.LiveExecutors), Is.EqualTo(before.Stages.Length));
        (await deployment.InferAsync(Model.RandomInputs(0))).Dispose();
    }

    [Test]
    public async Task Repartition_lets_a_machine_load_one_stage_after_the_other_where_the_first_plan_loads_all_at_once()
    {
        // All agents are of this one machine.
        await using Cluster cluster = await Cluster.CreateAsync(Model);
        int underWay = 0, most = 0;
        var first = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        foreach (FakePartitionRuntime runtime in cluster.Runtimes.Values)
        {
            runtime.Loading = async (_, _) =>
            {
                if (Interlocked.Increment(ref underWay) == 3)
                    first.TrySetResult();
                await first.Task;
            };
        }
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain").AsTask().WaitAsync(Cluster.Limit);
        Assert.That(deployment.Plan.Stages, Has.Length.GreaterThanOrEqualTo(3));

        underWay = 0;
        foreach (FakePartitionRuntime runtime in cluster.Runtimes.Values)
        {
            runtime.Loading = async (_, _) =>
            {
                int now = Interlocked.Increment(ref underWay);
                most = Math.Max(most, now);
                for (int i = 0; i < 100; i++)
                    await Task.Yield();
                Interlocked.Decrement(ref underWay);
            };
        }
        PartitionProblem problem = await cluster.Coordinator.CreateProblemAsync(Model.Graph);
        await deployment.RepartitionAsync(FixedPartitioner.Plan(problem, ["c", "c", "a", "a", "b", "b"])).AsTask().WaitAsync(Cluster.Limit);
        Assert.That(most, Is.EqualTo(1));
    }

    [Test]
    public async Task Infer_whose_agent_is_lost_runs_again_on_the_others()
    {
        await using Cluster cluster = await Cluster.CreateAsync(Model);
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain");
        using var gate = new Gate();
        cluster.Runtimes["b"].Executing = gate.Pass;
        IReadOnlyDictionary<string, Tensor>[] inputs = [.. Enumerable.Range(0, 10).Select(Model.RandomInputs)];
        Task<FinalResult>[] requests = [.. inputs.Select(input => deployment.InferAsync(input).AsTask())];
        await gate.Reached.WaitAsync(Cluster.Limit);
        cluster.Agents["b"].Cut();
        for (int i = 0; i < requests.Length; i++)
        {
            using FinalResult result = await requests[i].WaitAsync(Cluster.Limit);
            Assert.That(result.Epoch, Is.EqualTo(2));
            Assert.That(result.Stages.Select(static stage => stage.AgentId), Has.None.EqualTo("b"));
            TensorAssert.AreIdentical(result.Outputs, Model.Run(inputs[i]));
        }
        Assert.That(deployment.Plan.Fleet.IndexOf("b"), Is.EqualTo(-1));
    }

    [Test]
    public async Task Infer_whose_agent_is_lost_runs_on_devices_that_cannot_hold_old_and_new_plan_at_once()
    {
        // The whole model fits on either device, but not beside the half that is there already.
        await using Cluster cluster = await Cluster.CreateAsync(Model, agents: 0, options: new CoordinatorOptions());
        foreach (string id in new[] { "a", "b" })
            await cluster.AddAsync(id, new EdgeAgentOptions { Device = new Device { Id = id, MemoryBytes = Model.Whole.WeightBytes + 400 } });
        PartitionProblem problem = await cluster.Coordinator.CreateProblemAsync(Model.Graph);
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain", new DeploymentOptions { Plan = FixedPartitioner.Plan(problem, ["b", "a", "b", "a", "b", "a"]) });
        cluster.Agents["b"].Cut();
        using FinalResult result = await deployment.InferAsync(Model.RandomInputs(0)).AsTask().WaitAsync(Cluster.Limit);
        TensorAssert.AreIdentical(result.Outputs, Model.Run(Model.RandomInputs(0)));
    }

    [Test]
    public async Task Infer_after_every_agent_is_lost_says_what_is_missing_and_resumes_with_a_new_one()
    {
        await using Cluster cluster = await Cluster.CreateAsync(Model, agents: 1);
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain");
        cluster.Agents["a"].Cut();
        for (int i = 0; i < 2; i++)
        {
            EdgeSplitException exception = await ErrorAssert.FailsWithAsync(EdgeSplitError.AgentUnavailable, () => deployment.InferAsync(Model.RandomInputs(0)).AsTask());
            Assert.That(exception.Message, Does.Contain("'a'").And.Contain("'chain'").And.Contain("AddAgentAsync"));
        }
        await cluster.AddAsync("z");
        (await deployment.InferAsync(Model.RandomInputs(0)).AsTask().WaitAsync(Cluster.Limit)).Dispose();
        Assert.That(deployment.Epoch, Is.EqualTo(2));
    }

    [Test]
    public async Task Infer_while_agents_are_lost_one_after_the_other_gives_every_caller_one_right_result()
    {
        await using Cluster cluster = await Cluster.CreateAsync(Model, agents: 5);
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain");
        using var stop = new CancellationTokenSource();
        int served = 0;
        Task[] clients = [.. Enumerable.Range(0, 4).Select(client => Task.Run(async () =>
        {
            for (int i = 0; !stop.IsCancellationRequested; i++)
            {
                IReadOnlyDictionary<string, Tensor> inputs = Model.RandomInputs(client * 1000 + i);
                using FinalResult result = await deployment.InferAsync(inputs);
                TensorAssert.AreIdentical(result.Outputs, Model.Run(inputs));
                Interlocked.Increment(ref served);
            }
        }))];
        foreach (string id in new[] { "b", "d", "a", "e" })
        {
            int before = Volatile.Read(ref served);
            while (Volatile.Read(ref served) < before + 20)
                await Task.Yield();
            cluster.Agents[id].Cut();
        }
        int last = Volatile.Read(ref served);
        while (Volatile.Read(ref served) < last + 20)
            await Task.Yield();
        await stop.CancelAsync();
        await Task.WhenAll(clients).WaitAsync(Cluster.Limit);
        Assert.That(deployment.Plan.Fleet.Devices.Select(static device => device.Id), Is.EqualTo(new[] { "c" }));
    }

    [Test]
    public async Task Infer_whose_agent_forgot_its_partition_has_it_loaded_again()
    {
        await using Cluster cluster = await Cluster.CreateAsync(Model);
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain");
        int stage = deployment.Plan.Stages.First(stage => deployment.Plan.Fleet.Devices[stage.Device].Id == "b").Index;
        await cluster.Agents["b"].UnloadAsync(Model.Extract(deployment.Plan.Stages[stage].Layers).Id, default);
        using FinalResult result = await deployment.InferAsync(Model.RandomInputs(0)).AsTask().WaitAsync(Cluster.Limit);
        Assert.That(result.Epoch, Is.EqualTo(2));
        Assert.That(deployment.Plan.Fleet.IndexOf("b"), Is.Not.EqualTo(-1));
    }
}
