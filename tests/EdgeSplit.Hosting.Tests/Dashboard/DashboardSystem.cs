using EdgeSplit.Agents;
using EdgeSplit.Coordination;
using EdgeSplit.Testing.Fakes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace EdgeSplit.Hosting.Tests.Dashboard;

/// <summary>A web application with three agents, a model and a dashboard.</summary>
internal sealed class DashboardSystem : IAsyncDisposable
{
    public const string Token = "a token of the test";

    private readonly WebApplication _application;

    private DashboardSystem(WebApplication application) => _application = application;

    public string Address => _application.HttpAddress() + "/dashboard/";

    public Coordinator Coordinator => _application.Services.GetRequiredService<Coordinator>();

    public required Deployment Deployment { get; init; }

    public static async Task<DashboardSystem> StartAsync(string? token)
    {
        WebApplication application = await Hosts.StartWebAsync(
            static edgeSplit =>
            {
                edgeSplit.AddCoordinator(static options => Hosts.SpreadOver(options, 3));
                foreach (string id in (string[])["camera", "gateway", "sensor"])
                    edgeSplit.Services.AddSingleton<IEdgeAgent>(provider => new EdgeAgent(id, provider.GetRequiredService<IPartitionRuntime>()));
            },
            application => application.MapEdgeSplitDashboard(options: new DashboardOptions { Token = token, UpdateInterval = TimeSpan.FromMilliseconds(100) }),
            new FakePartitionRuntime { Executing = static (_, _) => Thread.Sleep(2) });
        Deployment deployment = await application.Services.GetRequiredService<DeployedModels>().GetAsync("chain").AsTask().WaitAsync(Hosts.Limit);
        return new DashboardSystem(application) { Deployment = deployment };
    }

    /// <summary>Keeps requests coming until cancelled.</summary>
    public Task RunRequestsAsync(CancellationToken cancellationToken) => Task.Run(async () =>
    {
        while (!cancellationToken.IsCancellationRequested)
            (await Deployment.InferAsync(Hosts.Model.RandomInputs(0), CancellationToken.None)).Dispose();
    }, CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync();
        await _application.DisposeAsync();
    }
}
