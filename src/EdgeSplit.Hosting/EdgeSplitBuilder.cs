using EdgeSplit.Agents;
using EdgeSplit.Coordination;
using EdgeSplit.Grpc;
using EdgeSplit.Hosting.Agents;
using EdgeSplit.Hosting.Connections;
using EdgeSplit.Hosting.Coordination;
using EdgeSplit.Hosting.Health;
using EdgeSplit.Hosting.Telemetry;
using EdgeSplit.Hosting.Validation;
using EdgeSplit.Models;
using EdgeSplit.Onnx;
using EdgeSplit.Onnx.Runtime;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace EdgeSplit.Hosting;

/// <summary>Adds the parts of EdgeSplit that an application wants.</summary>
/// <remarks>
/// A coordinator and an agent in one application meet in the process. Any other <see cref="IEdgeAgent"/> that is registered as a
/// service is given to the coordinator too.
/// </remarks>
public sealed class EdgeSplitBuilder
{
    internal const string CoordinatorPart = "Coordinator";
    internal const string AgentPart = "Agent";
    internal const string TcpPart = "Tcp";
    internal const string GrpcPart = "Grpc";

    private readonly HostedParts _parts;

    internal EdgeSplitBuilder(IServiceCollection services, HostedParts parts)
    {
        Services = services;
        _parts = parts;
    }

    /// <summary>The application's services.</summary>
    public IServiceCollection Services { get; }

    /// <summary>
    /// Adds a <see cref="Coordinator"/> that starts and stops with the application, and its models as <see cref="DeployedModels"/>.
    /// Its options come from the section <c>Coordinator</c>.
    /// </summary>
    /// <exception cref="InvalidOperationException">There is one already.</exception>
    public EdgeSplitBuilder AddCoordinator(Action<CoordinatorHostOptions>? configure = null)
    {
        ThrowIfAdded(_parts.HasCoordinator);
        _parts.HasCoordinator = true;
        Bind<CoordinatorHostOptions, CoordinatorHostOptionsValidator>(CoordinatorPart, configure);
        Services.TryAddSingleton<IModelFormat>(static _ => new OnnxModelFormat());
        AddRuntime();
        Services.AddSingleton(CoordinatorFactory.Create);
        Services.AddSingleton<DeployedModels>();
        Services.AddSingleton<CoordinatorServing>();
        Services.AddSingleton<ClusterMetrics>();
        Services.AddHostedService<CoordinatorHostedService>();
        AddHealth<ModelsReadyCheck>("edgesplit.models-ready");
        return this;
    }

    /// <summary>
    /// Adds an <see cref="EdgeAgent"/> that runs parts of models in this process: for the coordinator of the same application where
    /// there is one, otherwise for those that reach it, or that it joins, by <see cref="UseTcp"/> or <see cref="UseGrpc"/>. Its options
    /// come from the section <c>Agent</c>.
    /// </summary>
    /// <exception cref="InvalidOperationException">There is one already.</exception>
    public EdgeSplitBuilder AddAgent(Action<AgentHostOptions>? configure = null)
    {
        ThrowIfAdded(_parts.HasAgent);
        _parts.HasAgent = true;
        Bind<AgentHostOptions, AgentHostOptionsValidator>(AgentPart, configure);
        AddRuntime();
        Services.AddSingleton(AgentFactory.Create);
        Services.AddSingleton<IEdgeAgent>(static provider => provider.GetRequiredService<EdgeAgent>());
        Services.AddSingleton<AgentServing>();
        Services.AddHostedService<AgentHostedService>();
        AddHealth<AgentReadyCheck>("edgesplit.agent-ready");
        return this;
    }

    /// <summary>
    /// Uses the TCP transport: a coordinator connects to agents and listens for those that join; an agent listens for coordinators or
    /// joins one, and hands tensors straight to other agents. The options come from the section <c>Tcp</c>.
    /// </summary>
    /// <exception cref="InvalidOperationException">It was called before.</exception>
    public EdgeSplitBuilder UseTcp(Action<TcpHostOptions>? configure = null)
    {
        ThrowIfAdded(_parts.UsesTcp);
        _parts.UsesTcp = true;
        Bind<TcpHostOptions, TcpHostOptionsValidator>(TcpPart, configure);
        Services.TryAddSingleton<IAgentPeers>(TcpConnections.CreatePeers);
        return this;
    }

    /// <summary>
    /// Uses gRPC: a coordinator connects to agents and takes those that join; an agent listens for coordinators on a port of its own, or
    /// joins one. In a web application
    /// <see cref="GrpcEndpoints.MapEdgeSplit"/> maps the coordinator's services, with the Open Inference Protocol, and those of the agent.
    /// The options come from the section <c>Grpc</c>.
    /// </summary>
    /// <exception cref="InvalidOperationException">It was called before.</exception>
    public EdgeSplitBuilder UseGrpc(Action<GrpcHostOptions>? configure = null)
    {
        ThrowIfAdded(_parts.UsesGrpc);
        _parts.UsesGrpc = true;
        Bind<GrpcHostOptions, GrpcHostOptionsValidator>(GrpcPart, configure);
        return this;
    }

    private static void ThrowIfAdded(bool isAdded, [System.Runtime.CompilerServices.CallerMemberName] string method = "")
    {
        if (isAdded)
            throw new InvalidOperationException($"{method} was called before; an application has one of each part.");
    }

    private void AddRuntime() => Services.TryAddSingleton<IPartitionRuntime>(static provider =>
    {
        AgentHostOptions? agent = provider.GetService<IOptions<AgentHostOptions>>()?.Value;
        return new OnnxPartitionRuntime(new OnnxRuntimeOptions
        {
            IntraOpThreads = agent?.Threads ?? 0,
            OptimizedModelFolder = agent?.Blobs ?? Path.GetTempPath(),
        });
    });

    private void AddHealth<TCheck>(string name)
        where TCheck : class, Microsoft.Extensions.Diagnostics.HealthChecks.IHealthCheck
    {
        Services.TryAddSingleton<TCheck>();
        Services.AddHealthChecks().AddCheck<TCheck>(name, tags: [HealthEndpoints.ReadyTag]);
    }

    private void Bind<TOptions, TValidator>(string part, Action<TOptions>? configure)
        where TOptions : class
        where TValidator : class, IValidateOptions<TOptions>
    {
        string section = $"{_parts.Section}:{part}";
        OptionsBuilder<TOptions> options = Services.AddOptions<TOptions>()
            .Configure<IServiceProvider>((target, provider) => provider.GetService<IConfiguration>()?.GetSection(section).Bind(target));
        if (configure is not null)
            options.Configure(configure);
        options.ValidateOnStart();
        Services.AddSingleton<IValidateOptions<TOptions>, TValidator>();
        AddGrpcServices();
    }

    /// <summary>Adds the services that a web application may map, as soon as it is known which.</summary>
    private void AddGrpcServices()
    {
        if (!_parts.UsesGrpc || _parts.HasGrpcServices)
            return;
        if (_parts.HasCoordinator)
        {
            Services.AddEdgeSplitCoordinatorServices(null, GrpcConnections.ForClients);
            Services.AddSingleton(static provider => new GrpcAgentListener(GrpcConnections.ForConnecting(provider)));
            Services.AddEdgeSplitAgentListener(GrpcConnections.ListenerOf, GrpcConnections.ForJoining);
        }
        else if (_parts.HasAgent)
        {
            Services.AddEdgeSplitAgentService(static provider => provider.GetRequiredService<EdgeAgent>(), GrpcConnections.ForCoordinators);
        }
        _parts.HasGrpcServices = _parts.HasCoordinator || _parts.HasAgent;
    }
}
