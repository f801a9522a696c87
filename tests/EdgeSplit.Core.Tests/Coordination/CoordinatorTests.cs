using EdgeSplit.Agents;
using EdgeSplit.Coordination;
using EdgeSplit.Devices;
using EdgeSplit.Partitioning;
using EdgeSplit.Testing.Conformance;
using EdgeSplit.Testing.Fakes;

namespace EdgeSplit.Tests.Coordination;

public sealed class CoordinatorTests
{
    private static readonly FakeModel Model = FakeModelBuilder.Chain("chain", 4);

    [Test]
    public async Task Deploy_tells_its_progress()
    {
        await using Cluster cluster = await Cluster.CreateAsync(Model);
        var steps = new List<DeploymentProgress>();
        await cluster.Coordinator.DeployAsync("chain", new DeploymentOptions { Progress = new Recorder(steps) });
        Assert.That(steps.Select(static progress => progress.Step).Distinct(), Is.EqualTo(new[]
        {
            DeploymentStep.Opening, DeploymentStep.Planning, DeploymentStep.Loading, DeploymentStep.Ready,
        }));
        Assert.That(steps[^1], Is.EqualTo(new DeploymentProgress(DeploymentStep.Ready, 4, 4)));
        Assert.That(steps.Max(static progress => progress.SentBytes), Is.EqualTo(Model.Whole.WeightBytes));
    }

    [Test]
    public async Task Deploy_of_a_model_that_is_not_there_fails()
    {
        await using Cluster cluster = await Cluster.CreateAsync(Model);
        EdgeSplitException exception = await ErrorAssert.FailsWithAsync(EdgeSplitError.NotFound, () => cluster.Coordinator.DeployAsync("no-such").AsTask());
        Assert.That(exception.Message, Does.Contain("no-such"));
    }

    [Test]
    public async Task Deploy_without_agents_says_so()
    {
        await using Cluster cluster = await Cluster.CreateAsync(Model, agents: 0);
        EdgeSplitException exception = await ErrorAssert.FailsWithAsync(EdgeSplitError.NoFeasiblePlan, () => cluster.Coordinator.DeployAsync("chain").AsTask());
        Assert.That(exception.Message, Does.Contain("AddAgentAsync"));
    }

    [Test]
    public async Task Deploy_that_fails_on_one_agent_leaves_nothing_on_the_others()
    {
        await using Cluster cluster = await Cluster.CreateAsync(Model);
        cluster.Runtimes["b"].Loading = static (_, _) => throw new EdgeSplitException(EdgeSplitError.InvalidModel, "not mine");
        EdgeSplitException exception = await ErrorAssert.FailsWithAsync(EdgeSplitError.InvalidModel, () => cluster.Coordinator.DeployAsync("chain").AsTask());
        Assert.That(exception.Message, Is.EqualTo("not mine"));
        Assert.That(cluster.Runtimes.Values.Sum(static runtime => runtime.LiveExecutors), Is.Zero);
        Assert.That(cluster.Format.OpenModels, Is.Zero);
        Assert.That(cluster.Coordinator.Deployments, Is.Empty);
    }

    [Test]
    public async Task Deploy_while_an_agent_is_gone_goes_to_the_others()
    {
        await using Cluster cluster = await Cluster.CreateAsync(Model);
        cluster.Agents["a"].Cut();
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain");
        Assert.That(deployment.Plan.Fleet.Devices.Select(static device => device.Id), Is.EqualTo(new[] { "b", "c" }));
    }

    [Test]
    public async Task Deploy_cancelled_while_it_loads_leaves_nothing()
    {
        await using Cluster cluster = await Cluster.CreateAsync(Model);
        using var cancellation = new CancellationTokenSource();
        cluster.Runtimes["b"].Loading = (_, token) =>
        {
            cancellation.CancelAfter(TimeSpan.Zero);
            return Task.Delay(Timeout.InfiniteTimeSpan, token);
        };
        await Assert.CatchAsync<OperationCanceledException>(() => cluster.Coordinator.DeployAsync("chain", cancellationToken: cancellation.Token).AsTask().WaitAsync(Cluster.Limit));
        Assert.That(cluster.Runtimes.Values.Sum(static runtime => runtime.LiveExecutors), Is.Zero);
    }

    [Test]
    public async Task Deploy_of_a_ready_made_plan_follows_it()
    {
        await using Cluster cluster = await Cluster.CreateAsync(Model);
        PartitionProblem problem = await cluster.Coordinator.CreateProblemAsync(Model.Graph);
        PartitionPlan plan = FixedPartitioner.Plan(problem, ["c", "c", "a", "c"]);
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain", new DeploymentOptions { Plan = plan });
        Assert.That(deployment.Plan, Is.SameAs(plan));
        using FinalResult result = await deployment.InferAsync(Model.RandomInputs(0));
        Assert.That(result.Stages.Select(static stage => stage.AgentId), Is.EqualTo(new[] { "c", "a", "c" }));
    }

    [Test]
    public async Task Deploy_of_a_plan_for_another_model_or_for_strangers_is_refused()
    {
        await using Cluster cluster = await Cluster.CreateAsync(Model);
        PartitionProblem problem = await cluster.Coordinator.CreateProblemAsync(FakeModelBuilder.Chain("other", 3).Graph);
        await ErrorAssert.FailsWithAsync(EdgeSplitError.InvalidArgument, () => cluster.Coordinator.DeployAsync("chain", new DeploymentOptions { Plan = FixedPartitioner.Plan(problem, ["a", "b", "c"]) }).AsTask());
        PartitionProblem strangers = problem with { Graph = Model.Graph, Fleet = new Fleet([new Device { Id = "stranger" }]) };
        EdgeSplitException exception = await ErrorAssert.FailsWithAsync(
            EdgeSplitError.NotFound, () => cluster.Coordinator.DeployAsync("chain", new DeploymentOptions { Plan = FixedPartitioner.Plan(strangers, Enumerable.Repeat("stranger", 4)) }).AsTask());
        Assert.That(exception.Message, Does.Contain("'stranger'"));
    }

    private static readonly TestCaseData<Func<PartitionProblem, PartitionPlan>>[] BadPartitioners =
    [
        new(static _ => throw new InvalidOperationException("a defect")) { TestName = "throws" },
        new(static _ => null!) { TestName = "gives nothing" },
    ];

    [TestCaseSource(nameof(BadPartitioners))]
    public async Task Deploy_with_a_partitioner_that_fails_says_so(Func<PartitionProblem, PartitionPlan> partition)
    {
        await using Cluster cluster = await Cluster.CreateAsync(Model);
        var options = new DeploymentOptions { Partitioner = new BadPartitioner(partition) };
        EdgeSplitException exception = await ErrorAssert.FailsWithAsync(EdgeSplitError.Internal, () => cluster.Coordinator.DeployAsync("chain", options).AsTask());
        Assert.That(exception.Message, Does.Contain("'bad'").And.Contain("'chain'"));
    }

    [Test]
    public async Task Deploy_of_a_plan_with_devices_or_layers_that_do_not_exist_is_refused()
    {
        await using Cluster cluster = await Cluster.CreateAsync(Model);
        PartitionPlan good = FixedPartitioner.Plan(await cluster.Coordinator.CreateProblemAsync(Model.Graph), ["a", "b", "c", "a"]);
        PartitionPlan[] bad =
        [
            good with { Stages = [.. good.Stages.Select(static stage => stage with { Device = 7 })] },
            good with { Stages = [.. good.Stages.Select(static stage => stage with { Layers = [99] })] },
            good with { Assignment = [0] },
        ];
        foreach (PartitionPlan plan in bad)
            await ErrorAssert.FailsWithAsync(EdgeSplitError.InvalidArgument, () => cluster.Coordinator.DeployAsync("chain", new DeploymentOptions { Plan = plan }).AsTask());
    }

    private sealed class BadPartitioner(Func<PartitionProblem, PartitionPlan> partition) : IPartitioner
    {
        public string Name => "bad";

        public PartitionPlan Partition(PartitionProblem problem, CancellationToken cancellationToken) => partition(problem);
    }

    [Test]
    public async Task Deploy_of_several_models_shares_the_agents()
    {
        FakeModel other = FakeModelBuilder.Chain("other", 3);
        await using Cluster cluster = await Cluster.CreateAsync(Model);
        using var folder = new TemporaryFolder();
        other.Save(folder["other.json"]);
        Deployment first = await cluster.Coordinator.DeployAsync("chain");
        Deployment second = await cluster.Coordinator.DeployAsync(folder["other.json"]);
        Assert.That(second.Name, Is.EqualTo("other"));
        await Task.WhenAll(Enumerable.Range(0, 40).Select(async seed =>
        {
            FakeModel model = seed % 2 == 0 ? Model : other;
            using FinalResult result = await (seed % 2 == 0 ? first : second).InferAsync(model.RandomInputs(seed));
            TensorAssert.AreIdentical(result.Outputs, model.Run(model.RandomInputs(seed)));
        })).WaitAsync(Cluster.Limit);
        await first.DisposeAsync();
        (await second.InferAsync(other.RandomInputs(0))).Dispose();
    }

    [Test]
    public async Task AddAgent_of_an_id_that_is_taken_is_refused()
    {
        await using Cluster cluster = await Cluster.CreateAsync(Model);
        await using var twin = new EdgeAgent("a", new FakePartitionRuntime());
        await ErrorAssert.FailsWithAsync(EdgeSplitError.InvalidArgument, () => cluster.Coordinator.AddAgentAsync(twin).AsTask());
        await using var impostor = new EdgeAgent("coordinator", new FakePartitionRuntime());
        await ErrorAssert.FailsWithAsync(EdgeSplitError.InvalidArgument, () => cluster.Coordinator.AddAgentAsync(impostor).AsTask());
    }

    [Test]
    public async Task AddAgent_of_an_id_whose_agent_does_not_answer_any_more_takes_its_place()
    {
        await using Cluster cluster = await Cluster.CreateAsync(Model);
        await using Deployment deployment = await cluster.Coordinator.DeployAsync("chain");
        cluster.Agents["a"].Cut();
        await cluster.AddAsync("a");

        (await deployment.InferAsync(Model.RandomInputs(0))).Dispose();
        Assert.That(cluster.Coordinator.Agents.Select(static agent => agent.Device.Id), Is.EquivalentTo(["a", "b", "c"]));
        Assert.That(deployment.Plan.Fleet.Devices.Select(static device => device.Id), Does.Contain("a"));
    }

    [Test]
    public async Task RemoveAgent_moves_its_stages_first()
    {
        await using Cluster cluster = await Cluster.CreateAsync(Model);
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain");
        using var stop = new CancellationTokenSource();
        Task client = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
                (await deployment.InferAsync(Model.RandomInputs(0))).Dispose();
        });
        await cluster.Coordinator.RemoveAgentAsync("b");
        await stop.CancelAsync();
        await client.WaitAsync(Cluster.Limit);
        Assert.That(cluster.Coordinator.Agents.Select(static agent => agent.Device.Id), Is.EquivalentTo(new[] { "a", "c" }));
        Assert.That(cluster.Runtimes["b"].LiveExecutors, Is.Zero);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => cluster.Agents["b"].DescribeAsync(default).AsTask());
    }

    [Test]
    public async Task RemoveAgent_that_nobody_can_replace_is_refused()
    {
        await using Cluster cluster = await Cluster.CreateAsync(Model, agents: 1);
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain");
        await ErrorAssert.FailsWithAsync(EdgeSplitError.NoFeasiblePlan, () => cluster.Coordinator.RemoveAgentAsync("a").AsTask());
        (await deployment.InferAsync(Model.RandomInputs(0))).Dispose();
        await ErrorAssert.FailsWithAsync(EdgeSplitError.NotFound, () => cluster.Coordinator.RemoveAgentAsync("b").AsTask());
    }

    [Test]
    public async Task CreateProblem_in_one_process_has_free_links_and_no_source()
    {
        await using Cluster cluster = await Cluster.CreateAsync(Model);
        PartitionProblem problem = await cluster.Coordinator.CreateProblemAsync(Model.Graph);
        Assert.That(problem.Fleet.Devices.Select(static device => device.Id), Is.EqualTo(new[] { "a", "b", "c" }));
        Assert.That(problem.SourceDevice, Is.EqualTo(-1));
        Assert.That(problem.Fleet.LinkBetween(0, 1), Is.EqualTo(Link.Local));
    }

    [Test]
    public async Task CreateProblem_prices_what_goes_through_the_coordinator_by_both_measured_links()
    {
        await using Cluster cluster = await Cluster.CreateAsync(Model, agents: 1);
        await AddAsync(cluster, "near", TimeSpan.FromMilliseconds(1), 100e6);
        await AddAsync(cluster, "far", TimeSpan.FromMilliseconds(20), 1e6);
        PartitionProblem problem = await cluster.Coordinator.CreateProblemAsync(Model.Graph);
        int source = problem.SourceDevice;
        Assert.That(problem.Fleet.Devices[source].Id, Is.EqualTo("coordinator"));
        Assert.That(problem.Fleet.Devices[source].RunsLayers, Is.False);
        Link toFar = problem.Fleet.LinkBetween(source, problem.Fleet.IndexOf("far"));
        Link between = problem.Fleet.LinkBetween(problem.Fleet.IndexOf("near"), problem.Fleet.IndexOf("far"));
        Assert.Multiple(() =>
        {
            Assert.That(toFar.Latency, Is.EqualTo(TimeSpan.FromMilliseconds(20)));
            Assert.That(toFar.BytesPerSecond, Is.EqualTo(1e6).Within(0.1).Percent);
            Assert.That(toFar.Origin, Is.EqualTo(CostOrigin.Calibrated));
            Assert.That(between.Latency, Is.EqualTo(TimeSpan.FromMilliseconds(21)));
            Assert.That(between.BytesPerSecond, Is.EqualTo(1 / (1 / 100e6 + 1 / 1e6)).Within(0.1).Percent);
            Assert.That(problem.Fleet.LinkBetween(source, problem.Fleet.IndexOf("a")), Is.EqualTo(Link.Local));
            Assert.That(problem.RelayDevice, Is.EqualTo(source));
        });
    }

    [Test]
    public async Task CreateProblem_takes_links_that_are_stated()
    {
        var link = new Link { Latency = TimeSpan.FromSeconds(1), Origin = CostOrigin.Configured };
        var links = new Dictionary<(string, string), Link> { [("a", "b")] = link, [("a", "unknown")] = link };
        await using Cluster cluster = await Cluster.CreateAsync(Model, options: Cluster.Defaults with { Links = links });
        PartitionProblem problem = await cluster.Coordinator.CreateProblemAsync(Model.Graph);
        Assert.That(problem.Fleet.LinkBetween(0, 1), Is.EqualTo(link));
        Assert.That(problem.Fleet.LinkBetween(1, 0), Is.EqualTo(Link.Local));
    }

    [Test]
    public async Task Deploy_with_default_options_plans_runs_and_plans_again()
    {
        await using Cluster cluster = await Cluster.CreateAsync(Model, options: new CoordinatorOptions());
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain");
        await deployment.RepartitionAsync().AsTask().WaitAsync(Cluster.Limit);
        using FinalResult result = await deployment.InferAsync(Model.RandomInputs(0));
        TensorAssert.AreIdentical(result.Outputs, Model.Run(Model.RandomInputs(0)));
        Assert.That(deployment.Plan.Partitioner, Is.EqualTo(new CoordinatorOptions().Partitioner.Name));
    }

    [Test]
    public async Task Deploy_with_a_runtime_of_its_own_lets_the_coordinator_run_layers()
    {
        var runtime = new FakePartitionRuntime();
        var last = new FixedPartitioner(static problem =>
            problem.Graph.Layers.Select(layer => layer.Index == 3 ? problem.Fleet.Devices.Single(static device => device.IsCoordinator).Id : "a"));
        CoordinatorOptions options = Cluster.Defaults with { Runtime = runtime, Device = new Device { Id = "any", FlopsPerSecond = 5e9 }, Partitioner = last };
        await using Cluster cluster = await Cluster.CreateAsync(Model, agents: 1, options: options);
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain");
        using FinalResult result = await deployment.InferAsync(Model.RandomInputs(0));
        TensorAssert.AreIdentical(result.Outputs, Model.Run(Model.RandomInputs(0)));
        Assert.That(result.Stages.Select(static stage => stage.AgentId), Is.EqualTo(new[] { "a", "coordinator" }));
        Assert.That(runtime.Executions, Is.EqualTo(1));
    }

    [Test]
    public async Task Deploy_of_layers_that_fit_no_agent_puts_them_on_the_coordinator()
    {
        FakeModel model = new FakeModelBuilder("heavy").Input("x", 4).Mix("light", ["x"], "u").Mix("heavy", ["u"], ["y"], 5000).Output("y").Build();
        CoordinatorOptions options = new() { Runtime = new FakePartitionRuntime(), Device = new Device { Id = "any", FlopsPerSecond = 1e6 } };
        await using Cluster cluster = await Cluster.CreateAsync(model, agents: 0, options: options);
        foreach (string id in new[] { "a", "b" })
            await cluster.AddAsync(id, new EdgeAgentOptions { Device = new Device { Id = id, MemoryBytes = 4000 } });
        Deployment deployment = await cluster.Coordinator.DeployAsync("heavy");
        Assert.That(deployment.Plan.Fleet.Devices[deployment.Plan.Assignment[1]].Id, Is.EqualTo("coordinator"));
        using FinalResult result = await deployment.InferAsync(model.RandomInputs(0));
        TensorAssert.AreIdentical(result.Outputs, model.Run(model.RandomInputs(0)));
    }

    [Test]
    public async Task Deploy_over_slow_links_leaves_the_coordinator_without_layers()
    {
        await using Cluster cluster = await Cluster.CreateAsync(Model, agents: 0, options: new CoordinatorOptions());
        await AddAsync(cluster, "near", TimeSpan.FromMilliseconds(1), 100e6);
        await AddAsync(cluster, "far", TimeSpan.FromMilliseconds(20), 1e6);
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain");
        using FinalResult result = await deployment.InferAsync(Model.RandomInputs(0));
        TensorAssert.AreIdentical(result.Outputs, Model.Run(Model.RandomInputs(0)));
        Assert.That(result.Stages.Select(static stage => stage.AgentId), Has.All.EqualTo("near"));
    }

    private static async Task AddAsync(Cluster cluster, string id, TimeSpan latency, double bytesPerSecond)
    {
        var agent = new FlakyAgent(new EdgeAgent(id, new FakePartitionRuntime(), new EdgeAgentOptions { Device = new Device { Id = id } }))
        {
            RoundTrip = payload => latency * 2 + TimeSpan.FromSeconds(payload / bytesPerSecond),
        };
        await cluster.Coordinator.AddAgentAsync(agent);
    }

    private sealed class Recorder(List<DeploymentProgress> steps) : IProgress<DeploymentProgress>
    {
        public void Report(DeploymentProgress value)
        {
            lock (steps)
                steps.Add(value);
        }
    }
}
