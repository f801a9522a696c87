using EdgeSplit.Agents;
using EdgeSplit.Coordination;
using EdgeSplit.Grpc.Agents;
using EdgeSplit.Grpc.Coordination;
using EdgeSplit.Grpc.OpenInference;
using EdgeSplit.Grpc.Serving;
using Grpc.AspNetCore.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace EdgeSplit.Grpc;

/// <summary>Registers EdgeSplit's services; <see cref="GrpcEndpoints.MapEdgeSplit"/> maps them.</summary>
public static class GrpcServices
{
    /// <summary>Registers the service through which coordinators use an agent.</summary>
    /// <param name="services">Where to.</param>
    /// <param name="agent">Gives the agent, which stays the caller's.</param>
    /// <param name="options">What to take and how; null for the defaults.</param>
    public static IServiceCollection AddEdgeSplitAgentService(
        this IServiceCollection services, Func<IServiceProvider, IEdgeAgent> agent, GrpcServiceOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(agent);
        options ??= new GrpcServiceOptions();
        AddCommon(services);
        services.AddSingleton(provider => new AgentService(agent(provider), options, provider.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping));
        services.AddSingleton(new AgentGuard(new CallGuard(options)));
        return services;
    }

    /// <summary>Registers the services through which clients use a coordinator: <c>edgesplit.v1.Coordinator</c> and the Open Inference Protocol.</summary>
    /// <param name="services">Where to.</param>
    /// <param name="coordinator">Gives the coordinator, which stays the caller's; null for the one that is registered.</param>
    /// <param name="options">What to take and how; null for the defaults.</param>
    public static IServiceCollection AddEdgeSplitCoordinatorServices(
        this IServiceCollection services, Func<IServiceProvider, Coordinator>? coordinator = null, GrpcServiceOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        coordinator ??= static provider => provider.GetRequiredService<Coordinator>();
        options ??= new GrpcServiceOptions();
        AddCommon(services);
        services.AddSingleton(provider => new CoordinatorService(coordinator(provider), options));
        services.AddSingleton(provider => new InferenceServer(coordinator(provider), options));
        services.AddSingleton(provider => new OpenInferenceService(provider.GetRequiredService<InferenceServer>(), options));
        services.AddSingleton(provider => new RestEndpoints(provider.GetRequiredService<InferenceServer>(), options));
        services.AddSingleton(new CoordinatorGuard(new CallGuard(options)));
        // Its clients send a request as one message, however large the tensors are.
        services.Configure<GrpcServiceOptions<OpenInferenceService>>(service => service.MaxReceiveMessageSize = options.MaxTensorBytes);
        services.AddHealthChecks().AddCheck<DeploymentCheck>("edgesplit.models");
        return services;
    }

    private static void AddCommon(IServiceCollection services)
    {
        services.TryAddSingleton<FailureInterceptor>();
        services.AddGrpc(static grpc => grpc.Interceptors.Add<FailureInterceptor>());
        services.AddGrpcHealthChecks();
        services.AddGrpcReflection();
    }
}
