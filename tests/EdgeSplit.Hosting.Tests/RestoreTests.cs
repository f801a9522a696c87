using EdgeSplit.Agents;
using EdgeSplit.Coordination;
using EdgeSplit.Models;
using EdgeSplit.Partitioning;
using EdgeSplit.Testing.Conformance;
using EdgeSplit.Testing.Fakes;
using EdgeSplit.Tests;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace EdgeSplit.Hosting.Tests;

/// <summary>A coordinator that starts again goes on with what it served.</summary>
internal sealed class RestoreTests
{
    private static readonly string[] Turned = ["two", "two", "one", "one"];

    [Test]
    public async Task Start_withTheRepositoryOfAnEarlierRun_goesOnWithItsModelsAndPlans()
    {
        using var folder = new TemporaryFolder();
        Hosts.Model.Save(folder["chain.json"]);
        using (IHost first = await StartAsync(folder))
        {
            Deployment deployment = await first.Services.GetRequiredService<DeployedModels>().LoadAsync(folder["chain.json"]);
            PartitionProblem problem = await first.Services.GetRequiredService<Coordinator>().CreateProblemAsync(Hosts.Model.Graph);
            await deployment.RepartitionAsync(FixedPartitioner.Plan(problem, Turned));
            await first.StopAsync();
        }
        using (IHost second = await StartAsync(folder))
        {
            DeployedModels models = second.Services.GetRequiredService<DeployedModels>();
            Deployment deployment = await models.GetAsync("chain").AsTask().WaitAsync(Hosts.Limit);
            Assert.That(deployment.Plan.Assignment.Select(device => deployment.Plan.Fleet.Devices[device].Id), Is.EqualTo(Turned));
            using (FinalResult result = await deployment.InferAsync(Hosts.Model.RandomInputs(1)))
                TensorAssert.AreIdentical(result.Outputs, Hosts.Model.Run(Hosts.Model.RandomInputs(1)));
            await models.UnloadAsync("chain");
            await second.StopAsync();
        }
        using IHost third = await StartAsync(folder);
        Assert.That(third.Services.GetRequiredService<DeployedModels>().Statuses, Is.Empty, "It was unloaded.");
        await third.StopAsync();
    }

    [Test]
    public async Task Load_byANameInTheRepository_isServedUnderIt()
    {
        using var folder = new TemporaryFolder();
        Hosts.Model.Save(folder["chain.json"]);
        using IHost host = await StartAsync(folder);
        DeployedModels models = host.Services.GetRequiredService<DeployedModels>();
        await models.LoadAsync(folder["chain.json"], "chain-v1.5");
        await models.UnloadAsync("chain-v1.5");
        await models.LoadAsync("chain-v1.5");
        Assert.That(models.Statuses.Single().Name, Is.EqualTo("chain-v1.5"));
        await host.StopAsync();
    }

    [Test]
    public async Task Start_thatRestoresNothing_servesWhatItsOptionsName()
    {
        using var folder = new TemporaryFolder();
        Hosts.Model.Save(folder["chain.json"]);
        using (IHost first = await StartAsync(folder))
        {
            await first.Services.GetRequiredService<DeployedModels>().LoadAsync(folder["chain.json"]);
            await first.StopAsync();
        }
        using IHost second = await StartAsync(folder, static options => options.RestoresModels = false);
        Assert.That(second.Services.GetRequiredService<DeployedModels>().Statuses, Is.Empty);
        await second.StopAsync();
    }

    [Test]
    public async Task Start_withADamagedRecord_servesWhatItsOptionsName()
    {
        using var folder = new TemporaryFolder();
        Hosts.Model.Save(folder["chain.json"]);
        using (IHost first = await StartAsync(folder))
        {
            await first.Services.GetRequiredService<DeployedModels>().LoadAsync(folder["chain.json"]);
            await first.StopAsync();
        }
        string record = Directory.GetFiles(folder["repository"], "*.json", SearchOption.AllDirectories).Single(static file => File.ReadAllText(file).Contains("ssignment", StringComparison.Ordinal));
        await File.WriteAllTextAsync(record, "{");
        using IHost second = await StartAsync(folder, options => options.AddModel(folder["chain.json"]));
        await second.Services.GetRequiredService<DeployedModels>().GetAsync("chain").AsTask().WaitAsync(Hosts.Limit);
        await second.StopAsync();
    }

    private static Task<IHost> StartAsync(TemporaryFolder folder, Action<CoordinatorHostOptions>? configure = null) => Hosts.StartWorkerAsync(edgeSplit =>
    {
        edgeSplit.Services.AddSingleton<IModelFormat>(new FakeModelFormat());
        edgeSplit.Services.AddSingleton<IEdgeAgent>(static provider => new EdgeAgent("two", provider.GetRequiredService<IPartitionRuntime>()));
        edgeSplit.AddAgent(static options => options.Id = "one").AddCoordinator(options =>
        {
            options.MinimumAgents = 2;
            options.Repository = folder["repository"];
            options.Customize = static coordinator => coordinator with { Adaptation = null };
            configure?.Invoke(options);
        });
    });
}
