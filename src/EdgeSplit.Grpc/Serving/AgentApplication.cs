using EdgeSplit.Agents;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace EdgeSplit.Grpc.Serving;

/// <summary>A web server of an agent's own.</summary>
internal static class AgentApplication
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);

    /// <param name="agent">The agent; borrowed.</param>
    /// <param name="options">What to take and how.</param>
    /// <param name="listen">Says where connections come from.</param>
    public static WebApplication Create(IEdgeAgent agent, GrpcServiceOptions options, Action<IWebHostBuilder> listen)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions());
        builder.Configuration.Sources.Clear();
        builder.Logging.ClearProviders();
        if (options.LoggerFactory is { } loggers)
            builder.Services.AddSingleton(loggers);
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.Configure<HostOptions>(static host => host.ShutdownTimeout = StopTimeout);
        builder.Services.AddEdgeSplitAgentService(_ => agent, options);
        listen(builder.WebHost);
        WebApplication application = builder.Build();
        application.MapEdgeSplit();
        return application;
    }

    /// <summary>Leaves the process's signals alone.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
