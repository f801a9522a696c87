using EdgeSplit.Coordination;
using EdgeSplit.Hosting.Dashboard;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace EdgeSplit.Hosting;

/// <summary>Maps the dashboard.</summary>
public static class DashboardEndpoints
{
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private static readonly Dictionary<string, string> Files = new(StringComparer.Ordinal)
    {
        ["index.html"] = "text/html; charset=utf-8",
        ["page.css"] = "text/css; charset=utf-8",
        ["dashboard.css"] = "text/css; charset=utf-8",
        ["page.js"] = "text/javascript; charset=utf-8",
        ["graph.js"] = "text/javascript; charset=utf-8",
        ["charts.js"] = "text/javascript; charset=utf-8",
        ["dashboard.js"] = "text/javascript; charset=utf-8",
    };

    /// <summary>
    /// Maps a page that shows the coordinator of this application at work: devices, plans, requests on their way, latency, throughput and
    /// decisions; with a token it loads and unloads models, drains and resumes devices, and asks for new plans.
    /// </summary>
    /// <param name="endpoints">Where to map it.</param>
    /// <param name="path">The path of the page.</param>
    /// <param name="options">Who may see and do what; null for a page that is read-only and for this machine alone.</param>
    /// <exception cref="InvalidOperationException">The application has no coordinator.</exception>
    public static IEndpointRouteBuilder MapEdgeSplitDashboard(this IEndpointRouteBuilder endpoints, string path = "/dashboard", DashboardOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentException.ThrowIfNullOrEmpty(path);
        IServiceProvider services = endpoints.ServiceProvider;
        Coordinator coordinator = services.GetService<Coordinator>()
            ?? throw new InvalidOperationException($"The dashboard shows a coordinator, and there is none. Call {nameof(EdgeSplitBuilder.AddCoordinator)} first.");
        DeployedModels models = services.GetRequiredService<DeployedModels>();
        CancellationToken stopping = services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        ILogger logger = services.GetRequiredService<ILoggerFactory>().CreateLogger("EdgeSplit.Hosting.Dashboard");
        options ??= new DashboardOptions();
        var guard = new DashboardGuard(options);
        var history = new RequestHistory(coordinator);
        var actions = new DashboardActions(coordinator, models, logger);
        string root = "/" + path.Trim('/');

        RouteGroupBuilder group = endpoints.MapGroup(root == "/" ? "" : root);
        group.AddEndpointFilter(static (invocation, next) =>
        {
            IHeaderDictionary headers = invocation.HttpContext.Response.Headers;
            headers.ContentSecurityPolicy = ContentSecurityPolicy;
            headers.XContentTypeOptions = "nosniff";
            headers["Referrer-Policy"] = "no-referrer";
            return next(invocation);
        });
        // Relative addresses in the page need the slash at its end.
        group.MapGet("/", (HttpContext context) => root == "/" || context.Request.Path.Value!.EndsWith('/') ? File("index.html") : Results.Redirect(context.Request.PathBase + root + "/"));
        foreach (string file in Files.Keys)
            group.MapGet("/" + file, () => File(file));

        RouteGroupBuilder seen = group.MapGroup("/api");
        seen.AddEndpointFilter((invocation, next) => Refuse(guard.RefusalToSee(invocation.HttpContext), invocation, next));
        seen.MapGet("/events", async (HttpContext context) =>
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
            await new EventStream(coordinator, models, history, guard, options).RunAsync(context.Response, either.Token).ConfigureAwait(false);
            // A handler without a result would pass by the filters.
            return Results.Empty;
        });
        seen.MapGet("/models/{name}/graph", (string name) => coordinator.Deployments.FirstOrDefault(deployment => deployment.Name == name) is { } deployment
            ? Results.Json(DashboardData.Graph(deployment))
            : Results.Json(new { error = $"No model '{name}' is deployed." }, statusCode: StatusCodes.Status404NotFound));

        RouteGroupBuilder acted = group.MapGroup("/api");
        acted.AddEndpointFilter((invocation, next) => Refuse(guard.RefusalToAct(invocation.HttpContext), invocation, next));
        actions.Map(acted);
        return endpoints;
    }

    private static ValueTask<object?> Refuse(string? refusal, EndpointFilterInvocationContext invocation, EndpointFilterDelegate next) => refusal is null
        ? next(invocation)
        : new ValueTask<object?>(Results.Json(new { error = refusal }, statusCode: StatusCodes.Status401Unauthorized));

    private static IResult File(string name) =>
        Results.Stream(typeof(DashboardEndpoints).Assembly.GetManifestResourceStream("dashboard/" + name)!, Files[name]);
}
