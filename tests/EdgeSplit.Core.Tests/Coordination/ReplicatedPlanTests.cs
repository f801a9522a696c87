using System.Collections.Immutable;
using EdgeSplit.Coordination;
using EdgeSplit.Coordination.Internal;
using EdgeSplit.Partitioning;
using EdgeSplit.Repositories;
using EdgeSplit.Tensors;
using EdgeSplit.Testing.Conformance;
using EdgeSplit.Testing.Fakes;

namespace EdgeSplit.Tests.Coordination;

/// <summary>Plans that keep copies of a stage on several agents.</summary>
public sealed class ReplicatedPlanTests
{
    private static readonly FakeModel Model = FakeModelBuilder.Chain("chain", 6);

    [Test]
    public async Task Requests_take_the_copies_in_turn_each_as_often_as_its_share_says()
    {
        await using Cluster cluster = await Cluster.CreateAsync(Model);
        Deployment deployment = await DeployAsync(cluster, (0.6, "aabbcc"), (0.4, "aaaacc"));
        var taken = new List<string>();
        for (int i = 0; i < 20; i++)
        {
            IReadOnlyDictionary<string, Tensor> inputs = Model.RandomInputs(i);
            using FinalResult result = await deployment.InferAsync(inputs).AsTask().WaitAsync(Cluster.Limit);
            TensorAssert.AreIdentical(result.Outputs, Model.Run(inputs));
            taken.Add(string.Concat(result.Stages.Select(static stage => stage.AgentId)));
            Assert.That(result.Stages.Select(stage => deployment.Plan.Fleet.Devices[deployment.Plan.Stages[stage.Stage].Device].Id), Is.EqualTo(result.Stages.Select(static stage => stage.AgentId)));
        }
        Assert.That(taken, Is.EqualTo(Enumerable.Range(0, 4).SelectMany(static _ => new[] { "abc", "ac", "abc", "ac", "abc" })));
        Assert.That(cluster.Runtimes.Values.Sum(static runtime => runtime.LiveExecutors), Is.EqualTo(deployment.Plan.Stages.Length), "Each stage is loaded once.");
    }

    [Test]
    public async Task Many_requests_at_once_give_what_the_unsplit_model_gives()
    {
        await using Cluster cluster = await Cluster.CreateAsync(Model);
        Deployment deployment = await DeployAsync(cluster, (0.5, "aabbbb"), (0.25, "aacccc"), (0.25, "bbcccc"));
        await Parallel.ForAsync(0, 200, async (i, _) =>
        {
            IReadOnlyDictionary<string, Tensor> inputs = Model.RandomInputs(i);
            using FinalResult result = await deployment.InferAsync(inputs, CancellationToken.None);
            TensorAssert.AreIdentical(result.Outputs, Model.Run(inputs));
        }).WaitAsync(Cluster.Limit);
    }

    [Test]
    public async Task Request_on_a_copy_that_is_lost_runs_again_on_another_without_waiting_for_the_next_plan()
    {
        using var planning = new ManualResetEventSlim();
        bool isRecovering = false;
        var partitioner = new FixedPartitioner(problem =>
        {
            if (isRecovering)
                planning.Wait(Cluster.Limit);
            return problem.Graph.Layers.Select(layer => problem.Fleet.Devices[^1].Id);
        });
        await using Cluster cluster = await Cluster.CreateAsync(Model, options: Cluster.Defaults with { Partitioner = partitioner });
        Deployment deployment = await DeployAsync(cluster, (0.5, "aabbcc"), (0.5, "aacccc"));
        using var gate = new Gate();
        cluster.Runtimes["b"].Executing = gate.Pass;
        IReadOnlyDictionary<string, Tensor>[] inputs = [.. Enumerable.Range(0, 6).Select(Model.RandomInputs)];
        Task<FinalResult>[] requests = [.. inputs.Select(input => deployment.InferAsync(input).AsTask())];
        await gate.Reached.WaitAsync(Cluster.Limit);
        isRecovering = true;
        cluster.Agents["b"].Cut();
        for (int i = 0; i < requests.Length; i++)
        {
            using FinalResult result = await requests[i].WaitAsync(Cluster.Limit);
            Assert.That(result.Epoch, Is.EqualTo(1), "The next plan is not there yet.");
            Assert.That(result.Stages.Select(static stage => stage.AgentId), Has.None.EqualTo("b"));
            TensorAssert.AreIdentical(result.Outputs, Model.Run(inputs[i]));
        }
        planning.Set();
        while (deployment.Epoch == 1)
            await Task.Yield();
        using FinalResult after = await deployment.InferAsync(inputs[0]).AsTask().WaitAsync(Cluster.Limit);
        Assert.That(after.Epoch, Is.EqualTo(2));
    }

    [Test]
    public async Task Restore_goes_on_with_the_copies()
    {
        using var folder = new TemporaryFolder();
        string path = folder["chain.json"];
        Model.Save(path);
        CoordinatorOptions options = Cluster.Defaults with
        {
            Repository = await FolderModelRepository.OpenAsync(folder["repository"]),
            Constraints = new PlanConstraints { MaximumReplicas = 3 },
        };
        await using (Cluster cluster = await Cluster.CreateAsync(Model, options: options))
        {
            Deployment deployment = await cluster.Coordinator.DeployAsync(path);
            await deployment.RepartitionAsync(await PlanAsync(cluster, (0.75, "aabbcc"), (0.25, "aabbbb")));
        }
        await using Cluster next = await Cluster.CreateAsync(Model, options: options);
        Deployment restored = (await next.Coordinator.RestoreAsync()).Single();
        Assert.That(restored.Plan.Routes.Select(static route => route.Share), Is.EqualTo(new[] { 0.75, 0.25 }));
        Assert.That(
            restored.Plan.Routes.Select(route => string.Concat(route.Assignment.Select(device => restored.Plan.Fleet.Devices[device].Id))), Is.EqualTo(new[] { "aabbcc", "aabbbb" }));
    }

    [TestCase(1.0)]
    [TestCase(0.5, 0.5)]
    [TestCase(0.6, 0.3, 0.1)]
    [TestCase(0.34, 0.33, 0.33)]
    public void Turns_of_a_way_are_as_many_as_its_share_and_spread_evenly(params double[] shares)
    {
        var turns = new RequestTurns(shares);
        var taken = new int[shares.Length];
        for (int request = 0; request < 2000; request++)
        {
            taken[turns.Of(request)]++;
            for (int way = 0; way < shares.Length; way++)
                Assert.That(taken[way], Is.EqualTo(shares[way] * (request + 1)).Within(1.5 + (request / 840)), $"way {way} after request {request}");
        }
    }

    private static async Task<Deployment> DeployAsync(Cluster cluster, params (double Share, string Agents)[] routes)
    {
        PartitionPlan plan = await PlanAsync(cluster, routes);
        return await cluster.Coordinator.DeployAsync("chain", new DeploymentOptions { Plan = plan });
    }

    private static async Task<PartitionPlan> PlanAsync(Cluster cluster, params (double Share, string Agents)[] routes)
    {
        PartitionProblem problem = await cluster.Coordinator.CreateProblemAsync(Model.Graph);
        problem = problem with { Constraints = problem.Constraints with { MaximumReplicas = 3 } };
        ImmutableArray<PlanRoute> assigned = [.. routes.Select(route => new PlanRoute(route.Share, [.. route.Agents.Select(agent => problem.Fleet.IndexOf(agent.ToString()))]))];
        return new PlanEvaluator(problem).Create(assigned, "test");
    }
}
