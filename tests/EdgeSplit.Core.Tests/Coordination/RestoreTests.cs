using EdgeSplit.Coordination;
using EdgeSplit.Repositories;
using EdgeSplit.Testing.Conformance;
using EdgeSplit.Testing.Fakes;
using Microsoft.Extensions.Time.Testing;

namespace EdgeSplit.Tests.Coordination;

public sealed class RestoreTests
{
    private static readonly FakeModel Model = FakeModelBuilder.Chain("chain", 6);
    private readonly TemporaryFolder _folder = new();

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [Test]
    public async Task Restore_goes_on_with_the_former_plan()
    {
        await DeployAndEndAsync(static (cluster, deployment) => SpreadAsync(cluster, deployment, "bbccaa"));
        await using Cluster cluster = await CreateAsync();
        Deployment restored = (await cluster.Coordinator.RestoreAsync()).Single();
        Assert.That(restored.Name, Is.EqualTo("chain"));
        Assert.That(AgentsOf(restored), Is.EqualTo("bbccaa"));
        using FinalResult result = await restored.InferAsync(Model.RandomInputs(0));
        TensorAssert.AreIdentical(result.Outputs, Model.Run(Model.RandomInputs(0)));
        Assert.That(await cluster.Coordinator.RestoreAsync(), Is.Empty, "It is deployed already.");
    }

    [Test]
    public async Task Restore_waits_for_the_agents_of_the_former_plan()
    {
        await DeployAndEndAsync(static (cluster, deployment) => SpreadAsync(cluster, deployment, "bbccaa"));
        await using Cluster cluster = await CreateAsync(agents: 2);
        Task<System.Collections.Immutable.ImmutableArray<Deployment>> restoring = cluster.Coordinator.RestoreAsync(TimeSpan.FromMinutes(1)).AsTask();
        await cluster.AddAsync("c");
        Assert.That(AgentsOf((await restoring.WaitAsync(Cluster.Limit)).Single()), Is.EqualTo("bbccaa"));
    }

    [Test]
    public async Task Restore_plans_anew_for_the_agents_that_came()
    {
        await DeployAndEndAsync(static (cluster, deployment) => SpreadAsync(cluster, deployment, "bbccaa"));
        await using Cluster cluster = await CreateAsync(agents: 2);
        Deployment restored = (await cluster.Coordinator.RestoreAsync(TimeSpan.Zero)).Single();
        Assert.That(AgentsOf(restored), Is.EqualTo("ababab"));
    }

    [Test]
    public async Task Restore_without_any_agent_says_so_when_none_has_come_in_time()
    {
        await DeployAndEndAsync();
        var time = new FakeTimeProvider();
        await using Cluster cluster = await CreateAsync(agents: 0, time);
        Task restoring = cluster.Coordinator.RestoreAsync().AsTask();
        while (!restoring.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
        await ErrorAssert.FailsWithAsync(EdgeSplitError.NoFeasiblePlan, () => restoring);

        // What could not be restored is not forgotten.
        await cluster.AddAsync("a");
        Assert.That((await cluster.Coordinator.RestoreAsync(TimeSpan.Zero)).ToArray(), Has.Length.EqualTo(1));
    }

    [Test]
    public async Task Restore_leaves_out_a_deployment_that_was_disposed_of()
    {
        await DeployAndEndAsync(static (_, deployment) => deployment.DisposeAsync());
        await using Cluster cluster = await CreateAsync();
        Assert.That(await cluster.Coordinator.RestoreAsync(), Is.Empty);
    }

    [Test]
    public async Task Restore_takes_a_model_of_other_layers_as_new()
    {
        await DeployAndEndAsync();
        FakeModel other = FakeModelBuilder.Chain("chain", 4);
        other.Save(_folder["chain.json"]);
        FolderModelRepository repository = await FolderModelRepository.OpenAsync(_folder["repository"]);
        await repository.AddModelAsync("chain", _folder["chain.json"], [], default);
        await using Cluster cluster = await Cluster.CreateAsync(other, options: Cluster.Defaults with { Repository = repository });
        Assert.That(AgentsOf((await cluster.Coordinator.RestoreAsync()).Single()), Is.EqualTo("abca"));
    }

    [Test]
    public async Task Restore_takes_the_rate_that_the_options_give_before_the_stored_one()
    {
        var rates = new List<double>();
        await DeployAndEndAsync(options: new DeploymentOptions { RequestsPerSecond = 3 });
        var recording = new FixedPartitioner(problem =>
        {
            rates.Add(problem.RequestsPerSecond);
            return problem.Graph.Layers.Select(static _ => "a");
        });
        // None of the former agents is there, so the model is planned anew.
        await using Cluster cluster = await CreateAsync(agents: 1);
        Deployment given = (await cluster.Coordinator.RestoreAsync(TimeSpan.Zero, _ => new DeploymentOptions { RequestsPerSecond = 5, Partitioner = recording })).Single();
        await given.RepartitionAsync();
        await cluster.Coordinator.DisposeAsync();
        await using Cluster next = await CreateAsync(agents: 1);
        await (await next.Coordinator.RestoreAsync(TimeSpan.Zero, _ => new DeploymentOptions { Partitioner = recording })).Single().RepartitionAsync();
        Assert.That(rates.Distinct(), Is.EqualTo([5.0]), "The second takes what the first has stored.");
    }

    [Test]
    public async Task Restore_goes_on_with_a_deployment_that_has_taken_the_place_of_another_of_its_name()
    {
        await DeployAndEndAsync(static async (cluster, deployment) =>
        {
            await cluster.Coordinator.DeployAsync("chain");
            await deployment.DisposeAsync();
            await deployment.DisposeAsync();
        });
        await using Cluster cluster = await CreateAsync();
        Assert.That((await cluster.Coordinator.RestoreAsync()).ToArray(), Has.Length.EqualTo(1));
    }

    [Test]
    public async Task Deploy_of_a_stored_model_under_another_name_is_restored_under_it()
    {
        await DeployAndEndAsync(static async (cluster, deployment) =>
        {
            Deployment other = await cluster.Coordinator.DeployAsync("chain", new DeploymentOptions { Name = "other" });
            Assert.That(other.Name, Is.EqualTo("other"));
            Assert.That(deployment.Name, Is.EqualTo("chain"));
        });
        await using Cluster cluster = await CreateAsync();
        Assert.That((await cluster.Coordinator.RestoreAsync()).Select(static deployment => deployment.Name), Is.EqualTo(["chain", "other"]));
    }

    [Test]
    public async Task Restore_without_a_repository_says_what_to_set()
    {
        await using Cluster cluster = await Cluster.CreateAsync(Model);
        EdgeSplitException exception = await ErrorAssert.FailsWithAsync(EdgeSplitError.InvalidArgument, () => cluster.Coordinator.RestoreAsync().AsTask());
        Assert.That(exception.Message, Does.Contain("Repository"));
    }

    private static string AgentsOf(Deployment deployment) =>
        string.Concat(deployment.Plan.Assignment.Select(device => deployment.Plan.Fleet.Devices[device].Id));

    private static async ValueTask SpreadAsync(Cluster cluster, Deployment deployment, string agents) =>
        await deployment.RepartitionAsync(FixedPartitioner.Plan(await cluster.Coordinator.CreateProblemAsync(Model.Graph), agents.Select(static agent => agent.ToString())));

    /// <summary>A coordinator's life: it deploys the model, something is done with it, and it ends.</summary>
    private async Task DeployAndEndAsync(Func<Cluster, Deployment, ValueTask>? then = null, DeploymentOptions? options = null)
    {
        Model.Save(_folder["chain.json"]);
        await using Cluster cluster = await CreateAsync();
        Deployment deployment = await cluster.Coordinator.DeployAsync(_folder["chain.json"], options);
        if (then is not null)
            await then(cluster, deployment);
    }

    private async Task<Cluster> CreateAsync(int agents = 3, TimeProvider? time = null) => await Cluster.CreateAsync(
        Model,
        agents,
        Cluster.Defaults with
        {
            Repository = await FolderModelRepository.OpenAsync(_folder["repository"]),
            CapacityTimeout = TimeSpan.FromSeconds(10),
            TimeProvider = time ?? TimeProvider.System,
        });
}
