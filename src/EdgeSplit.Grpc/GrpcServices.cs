using EdgeSplit.Agents;
using EdgeSplit.Coordination;
using EdgeSplit.Grpc.Agents;
using EdgeSplit.Grpc.Coordination;
using EdgeSplit.Grpc.OpenInference;
using EdgeSplit.Grpc.Serving;
using EdgeSplit.Grpc.Tunnels;
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
        options ??= new GrpcServiceOptions();
        return AddEdgeSplitAgentService(services, agent, _ => options);
    }

    /// <summary>Registers the service through which coordinators use an agent.</summary>
    /// <param name="services">Where to.</param>
    /// <param name="agent">Gives the agent, which stays the caller's.</param>
    /// <param name="options">Gives what to take and how, each time the same.</param>
    public static IServiceCollection AddEdgeSplitAgentService(
        this IServiceCollection services, Func<IServiceProvider, IEdgeAgent> agent, Func<IServiceProvider, GrpcServiceOptions> options)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(agent);
        ArgumentNullException.ThrowIfNull(options);
        AddCommon(services);
        services.AddSingleton(provider => new AgentService(
            agent(provider), options(provider), provider.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping));
        services.AddSingleton(provider => new AgentGuard(new CallGuard(options(provider))));
        return services;
    }

    /// <summary>Registers the services through which clients use a coordinator: <c>edgesplit.v1.Coordinator</c> and the Open Inference Protocol.</summary>
    /// <param name="services">Where to.</param>
    /// <param name="coordinator">Gives the coordinator, which stays the caller's; null for the one that is registered.</param>
    /// <param name="options">What to take and how; null for the defaults.</param>
    public static IServiceCollection AddEdgeSplitCoordinatorServices(
        this IServiceCollection services, Func<IServiceProvider, Coordinator>? coordinator = null, GrpcServiceOptions? options = null)
    {
        options ??= new GrpcServiceOptions();
        return AddEdgeSplitCoordinatorServices(services, coordinator, _ => options);
    }

    /// <summary>Registers the services through which clients use a coordinator: <c>edgesplit.v1.Coordinator</c> and the Open Inference Protocol.</summary>
    /// <param name="services">Where to.</param>
    /// <param name="coordinator">Gives the coordinator, which stays the caller's; null for the one that is registered.</param>
    /// <param name="options">Gives what to take and how, each time the same.</param>
    public static IServiceCollection AddEdgeSplitCoordinatorServices(
        this IServiceCollection services, Func<IServiceProvider, Coordinator>? coordinator, Func<IServiceProvider, GrpcServiceOptions> options)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(options);
        coordinator ??= static provider => provider.GetRequiredService<Coordinator>();
        AddCommon(services);
        services.AddSingleton(provider => new CoordinatorService(coordinator(provider), options(provider)));
        services.AddSingleton(provider => new InferenceServer(coordinator(provider), options(provider)));
        services.AddSingleton(provider => new OpenInferenceService(provider.GetRequiredService<InferenceServer>(), options(provider)));
        services.AddSingleton(provider => new RestEndpoints(provider.GetRequiredService<InferenceServer>(), options(provider)));
        services.AddSingleton(provider => new CoordinatorGuard(new CallGuard(options(provider))));
        // Its clients send a request as one message, however large the tensors are.
        services.AddOptions<GrpcServiceOptions<OpenInferenceService>>()
            .Configure<IServiceProvider>((service, provider) => service.MaxReceiveMessageSize = options(provider).MaxTensorBytes);
        services.AddHealthChecks().AddCheck<DeploymentCheck>("edgesplit.models");
        return services;
    }

    /// <summary>Registers the service by which agents join a listener. Give it a token that clients do not have: who joins is sent models and tensors.</summary>
    /// <param name="services">Where to.</param>
    /// <param name="listener">Gives the listener, which stays the caller's; null where no agent may join.</param>
    /// <param name="options">Gives whom to let in, each time the same; null for callers on this machine.</param>
    public static IServiceCollection AddEdgeSplitAgentListener(
        this IServiceCollection services, Func<IServiceProvider, GrpcAgentListener?> listener, Func<IServiceProvider, GrpcServiceOptions>? options = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(listener);
        options ??= static _ => new GrpcServiceOptions();
        AddCommon(services);
        services.AddSingleton(provider => new TunnelService(listener(provider)!, provider.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping));
        services.AddSingleton(provider => new TunnelGuard(new CallGuard(options(provider)), listener(provider) is not null));
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
