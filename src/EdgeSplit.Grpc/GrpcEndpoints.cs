using EdgeSplit.Grpc.Agents;
using EdgeSplit.Grpc.Coordination;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace EdgeSplit.Grpc;

/// <summary>Maps EdgeSplit's gRPC services, registered with <see cref="GrpcServices"/>, in a web application.</summary>
public static class GrpcEndpoints
{
    /// <summary>Maps <c>edgesplit.v1.Agent</c>, and <c>grpc.health.v1.Health</c>, which asks for no token.</summary>
    /// <remarks>The port must speak HTTP/2: without TLS, HTTP/2 alone.</remarks>
    public static IEndpointConventionBuilder MapEdgeSplitAgent(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        endpoints.MapGrpcHealthChecksService();
        GrpcServiceEndpointConventionBuilder service = endpoints.MapGrpcService<AgentService>();
        endpoints.ServiceProvider.GetRequiredService<AgentGuard>().Guard.Protect(service);
        return service;
    }

    /// <summary>Maps <c>edgesplit.v1.Coordinator</c>, through which clients list and run the models that are deployed.</summary>
    /// <remarks>The port must speak HTTP/2: without TLS, HTTP/2 alone.</remarks>
    public static IEndpointConventionBuilder MapEdgeSplitCoordinator(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        GrpcServiceEndpointConventionBuilder service = endpoints.MapGrpcService<CoordinatorService>();
        endpoints.ServiceProvider.GetRequiredService<CoordinatorGuard>().Guard.Protect(service);
        return service;
    }
}
