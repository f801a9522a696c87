using System.Net;
using System.Security.Authentication;
using EdgeSplit.Coordination;
using EdgeSplit.Grpc;
using EdgeSplit.Hosting;
using EdgeSplit.Tool.Commands;
using EdgeSplit.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Metrics;

namespace EdgeSplit.Tool.Serving;

/// <summary>The web application of <c>edgesplit serve</c>.</summary>
internal static class ServeApplication
{
    // Under what the stopping of processes usually allows.
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(25);

    public static WebApplication Build(ServeSettings settings)
    {
        CheckGuards(settings);
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions());
        // Nothing but the command line decides.
        builder.Configuration.Sources.Clear();
        builder.Logging.ClearProviders().AddSimpleConsole(static console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss ";
        }).SetMinimumLevel(LogLevel.Warning).AddFilter("EdgeSplit", LogLevel.Information)
            // What keeps it from starting is told in one line.
            .AddFilter("Microsoft.Extensions.Hosting", LogLevel.None)
            // It would tell of every probe that finds the server not ready, which the answer tells already.
            .AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None);
        builder.Services.AddSingleton<IHostLifetime, CommandLifetime>();
        builder.Services.Configure<HostOptions>(static host => host.ShutdownTimeout = ShutdownTimeout);
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(settings.Http, listen => Configure(listen, settings, HttpProtocols.Http1));
            kestrel.Listen(settings.Grpc, listen => Configure(listen, settings, HttpProtocols.Http2));
        });
        AddEdgeSplit(builder.Services, settings);
        builder.Services.AddOpenTelemetry().WithMetrics(static metrics => metrics
            .AddMeter(EdgeSplitTelemetry.SourceName, "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime").AddPrometheusExporter());

        WebApplication application = builder.Build();
        application.MapEdgeSplit();
        application.MapEdgeSplitHealth();
        application.MapEdgeSplitDashboard("/", new DashboardOptions
        {
            Token = new ConnectionSecurity { TokenFile = settings.DashboardTokenFile }.ReadToken(),
            DangerouslyAllowRemoteViewers = settings.Security.DangerouslyAllowUnauthenticatedRemoteConnections,
        });
        application.MapPrometheusScrapingEndpoint("/metrics");
        return application;
    }

    public static void PrintAddresses(WebApplication application)
    {
        string[] addresses = [.. application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses];
        Console.Out.WriteLine($"dashboard, REST, metrics and health on {addresses[0]}");
        Console.Out.WriteLine($"gRPC on {addresses[1]}");
        if (application.Services.GetRequiredService<CoordinatorServing>().JoinEndPoint is { } join)
            Console.Out.WriteLine($"agents join at {HostAndPort.Format(join)}");
        if (application.Services.GetRequiredService<Microsoft.Extensions.Options.IOptions<GrpcHostOptions>>().Value.TakesAgents)
            Console.Out.WriteLine($"agents join over gRPC at {addresses[1]}");
    }

    /// <summary>Tells when models are served; ends with why one never will be.</summary>
    public static async Task WatchModelsAsync(WebApplication application, CancellationToken cancellationToken)
    {
        DeployedModels models = application.Services.GetRequiredService<DeployedModels>();
        Task[] served = [.. models.Statuses.Select(async status =>
        {
            Deployment deployment = await models.GetAsync(status.Name, cancellationToken);
            Console.Out.WriteLine($"model '{deployment.Name}' is served, {deployment.Plan.Stages.Length} stages on {string.Join(", ", deployment.Plan.Stages.Select(stage => deployment.Plan.Fleet.Devices[stage.Device].Id).Distinct())}");
        })];
        // One that fails is told although others still wait for agents.
        await foreach (Task one in Task.WhenEach(served).ConfigureAwait(false))
            await one.ConfigureAwait(false);
    }

    private static void AddEdgeSplit(IServiceCollection services, ServeSettings settings)
    {
        ILookup<bool, string> agents = settings.Agents.ToLookup(SharedArguments.IsGrpc);
        services.AddEdgeSplit()
            .AddCoordinator(options =>
            {
                options.Repository = settings.Repository;
                options.RestoresModels = settings.RestoresModels;
                options.RunsLayers = settings.RunsLayers;
                options.MinimumAgents = settings.RunsLayers && settings.Agents.Length == 0 && settings.Listen is null && !settings.TakesAgents ? 0 : settings.ExpectedAgents;
                options.Objective = settings.Objective;
                options.MaxBatch = settings.MaxBatch;
                options.MaxBatchDelay = settings.MaxBatchDelay;
                options.MaximumReplicas = settings.MaxReplicas;
                foreach (string model in settings.Models)
                {
                    int separator = File.Exists(model) ? -1 : model.IndexOf('=', StringComparison.Ordinal);
                    options.AddModel(model[(separator + 1)..], separator > 0 ? model[..separator] : null);
                }
            })
            .UseTcp(options =>
            {
                Copy(settings.Security, options);
                options.Listen = settings.Listen;
                foreach (string address in agents[false])
                    options.Agents.Add(address);
            })
            .UseGrpc(options =>
            {
                Copy(settings.Security, options);
                options.ClientTokenFile = settings.ClientTokenFile;
                options.TakesAgents = settings.TakesAgents;
                foreach (string address in agents[true])
                    options.Agents.Add(address);
            });
    }

    private static void Copy(ConnectionSecurity from, ConnectionSecurity to)
    {
        to.TokenFile = from.TokenFile;
        to.Tls = from.Tls;
        to.AuthorityFile = from.AuthorityFile;
        to.CertificateFile = from.CertificateFile;
        to.KeyFile = from.KeyFile;
        to.ServerName = from.ServerName;
        to.DangerouslyAllowUnauthenticatedRemoteConnections = from.DangerouslyAllowUnauthenticatedRemoteConnections;
    }

    private static void Configure(Microsoft.AspNetCore.Server.Kestrel.Core.ListenOptions listen, ServeSettings settings, HttpProtocols withoutTls)
    {
        if (settings.Security.ReadCertificate() is not { } certificate)
        {
            // Without TLS a port cannot tell which of the two a caller speaks.
            listen.Protocols = withoutTls;
            return;
        }
        listen.Protocols = HttpProtocols.Http1AndHttp2;
        listen.UseHttps(https =>
        {
            https.ServerCertificate = certificate;
            https.SslProtocols = SslProtocols.Tls13;
        });
    }

    private static void CheckGuards(ServeSettings settings)
    {
        foreach (IPEndPoint address in (ReadOnlySpan<IPEndPoint>)[settings.Http, settings.Grpc])
        {
            if (settings.ClientTokenFile is null && !settings.Security.DangerouslyAllowUnauthenticatedRemoteConnections && !IPAddress.IsLoopback(address.Address))
            {
                throw new BadUsageException(
                    $"Listening on {address} would let anyone in who reaches it. Set --client-token, listen on 127.0.0.1 only, "
                        + "or give --dangerously-allow-unauthenticated-remote-connections if everyone there is trusted.");
            }
        }
    }
}
