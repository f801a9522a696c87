using EdgeSplit.Grpc.Agents;
using EdgeSplit.Grpc.Coordination;
using EdgeSplit.Grpc.OpenInference;
using EdgeSplit.Grpc.Serving;
using EdgeSplit.Grpc.Tunnels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace EdgeSplit.Grpc;

/// <summary>Maps EdgeSplit's services in a web application.</summary>
public static class GrpcEndpoints
{
    /// <summary>
    /// Maps what <see cref="GrpcServices"/> has registered: <c>edgesplit.v1.Agent</c>; <c>edgesplit.v1.Tunnel</c>; <c>edgesplit.v1.Coordinator</c> with the Open
    /// Inference Protocol over gRPC (<c>inference.GRPCInferenceService</c>) and REST (<c>/v2</c>); and
    /// <c>grpc.health.v1.Health</c> and reflection, of which health asks for no token.
    /// </summary>
    /// <remarks>
    /// gRPC needs a port that speaks HTTP/2, and REST one that speaks HTTP/1.1. One port does both with TLS; without, take two.
    /// </remarks>
    /// <exception cref="InvalidOperationException">Nothing was registered.</exception>
    public static IEndpointRouteBuilder MapEdgeSplit(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        IServiceProvider services = endpoints.ServiceProvider;
        AgentGuard? agent = services.GetService<AgentGuard>();
        CoordinatorGuard? coordinator = services.GetService<CoordinatorGuard>();
        TunnelGuard? tunnel = services.GetService<TunnelGuard>();
        if (tunnel is { IsOpen: true })
            tunnel.Guard.Protect(endpoints.MapGrpcService<TunnelService>());
        agent?.Guard.Protect(endpoints.MapGrpcService<AgentService>());
        if (coordinator is not null)
        {
            coordinator.Guard.Protect(endpoints.MapGrpcService<CoordinatorService>());
            coordinator.Guard.Protect(endpoints.MapGrpcService<OpenInferenceService>());
            coordinator.Guard.Protect(services.GetRequiredService<RestEndpoints>().Map(endpoints));
        }
        (coordinator?.Guard ?? agent?.Guard ?? tunnel?.Guard ?? throw NothingToMap()).Protect(endpoints.MapGrpcReflectionService());
        endpoints.MapGrpcHealthChecksService();
        return endpoints;
    }

    private static InvalidOperationException NothingToMap() => new(
        $"Nothing is there to map. Call {nameof(GrpcServices.AddEdgeSplitAgentService)} or {nameof(GrpcServices.AddEdgeSplitCoordinatorServices)} first.");
}
