using System.Text.Json;
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
        group.MapPost("/models", async (HttpContext context, CancellationToken cancellationToken) => await ReadAsync(context.Request).ConfigureAwait(false) is { } request
            ? await RunAsync("load", request.Model, async () =>
                await models.LoadAsync(request.Model, string.IsNullOrWhiteSpace(request.Name) ? null : request.Name.Trim(), cancellationToken).ConfigureAwait(false)).ConfigureAwait(false)
            : Results.Json(new { error = """Which model? Send {"model": "FILE, or a name in the repository", "name": "NAME, if another"} as JSON.""" }, statusCode: StatusCodes.Status400BadRequest));
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

    /// <summary>Reads what to load, whatever type the request says that it has; null where it is not that.</summary>
    private static async ValueTask<LoadRequest?> ReadAsync(HttpRequest request)
    {
        try
        {
            LoadRequest? load = await JsonSerializer.DeserializeAsync<LoadRequest>(request.Body, JsonSerializerOptions.Web, request.HttpContext.RequestAborted).ConfigureAwait(false);
            return string.IsNullOrWhiteSpace(load?.Model) ? null : load;
        }
        catch (JsonException)
        {
            return null;
        }
    }

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
