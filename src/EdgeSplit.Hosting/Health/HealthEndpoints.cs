using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace EdgeSplit.Hosting;

/// <summary>Maps the health of an application.</summary>
public static class HealthEndpoints
{
    /// <summary>The tag of checks that <c>/readyz</c> asks. An application may give it to checks of its own.</summary>
    public const string ReadyTag = "ready";

    /// <summary>
    /// Maps <c>/healthz</c>, which answers 200 while the process works, and <c>/readyz</c>, which answers 200 while each model has a plan
    /// whose agents can all be reached, and 503 with the reasons otherwise.
    /// </summary>
    public static IEndpointRouteBuilder MapEdgeSplitHealth(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        endpoints.MapHealthChecks("/healthz", new HealthCheckOptions { Predicate = static _ => false, ResponseWriter = WriteAsync });
        endpoints.MapHealthChecks("/readyz", new HealthCheckOptions { Predicate = static check => check.Tags.Contains(ReadyTag), ResponseWriter = WriteAsync });
        return endpoints;
    }

    private static Task WriteAsync(HttpContext context, HealthReport report) => context.Response.WriteAsJsonAsync(new
    {
        status = report.Status.ToString(),
        checks = report.Entries.ToDictionary(static entry => entry.Key, static entry => new { status = entry.Value.Status.ToString(), entry.Value.Description }),
    });
}
