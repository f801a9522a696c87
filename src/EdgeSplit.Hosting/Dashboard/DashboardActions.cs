using EdgeSplit.Coordination;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace EdgeSplit.Hosting.Dashboard;

/// <summary>What one may do on the dashboard.</summary>
internal sealed class DashboardActions(Coordinator coordinator, DeployedModels models, ILogger logger)
{
    public void Map(RouteGroupBuilder group)
    {
        // Lets a page find out whether a token is right.
        group.MapPost("/token", static () => Results.NoContent());
        group.MapPost("/models", (LoadRequest request, CancellationToken cancellationToken) => RunAsync("load", request.Model, async () =>
            await models.LoadAsync(request.Model, string.IsNullOrWhiteSpace(request.Name) ? null : request.Name.Trim(), cancellationToken).ConfigureAwait(false)));
        group.MapDelete("/models/{name}", (string name) => RunAsync("unload", name, () => models.UnloadAsync(name).AsTask()));
        group.MapPost("/models/{name}/repartition", (string name, CancellationToken cancellationToken) => RunAsync("re-plan", name, () =>
            Find(name).RepartitionAsync(null, cancellationToken).AsTask()));
        group.MapPost("/agents/{id}/drain", (string id, CancellationToken cancellationToken) => RunAsync("drain", id, () =>
            coordinator.DrainAgentAsync(id, cancellationToken).AsTask()));
        group.MapPost("/agents/{id}/resume", (string id) => RunAsync("resume", id, () =>
        {
            coordinator.ResumeAgent(id);
            return Task.CompletedTask;
        }));
    }

    private Deployment Find(string name) => coordinator.Deployments.FirstOrDefault(deployment => deployment.Name == name)
        ?? throw new EdgeSplitException(EdgeSplitError.NotFound, $"No model '{name}' is deployed.");

    private async Task<IResult> RunAsync(string action, string target, Func<Task> run)
    {
        HostingLog.Asked(logger, action, target);
        try
        {
            await run().ConfigureAwait(false);
            return Results.NoContent();
        }
        catch (Exception exception) when (exception is EdgeSplitException or ArgumentException)
        {
            int status = exception is EdgeSplitException { Error: EdgeSplitError.NotFound } ? StatusCodes.Status404NotFound : StatusCodes.Status409Conflict;
            return Results.Json(new { error = exception.Message }, statusCode: status);
        }
    }

    /// <summary>Which model to load, and under which name.</summary>
    internal sealed record LoadRequest(string Model, string? Name);
}
