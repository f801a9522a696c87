using System.Net;
using EdgeSplit.Agents;
using EdgeSplit.Models;
using EdgeSplit.Testing.Fakes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace EdgeSplit.Hosting.Tests;

/// <summary>Applications that use EdgeSplit, with a model and a runtime that need nothing from outside.</summary>
internal static class Hosts
{
    public static TimeSpan Limit { get; } = TimeSpan.FromSeconds(30);

    public static FakeModel Model { get; } = FakeModelBuilder.Chain("chain", 4);

    /// <summary>A worker that has started.</summary>
    public static async Task<IHost> StartWorkerAsync(Action<EdgeSplitBuilder> configure, FakePartitionRuntime? runtime = null, params (string Key, string Value)[] settings)
    {
        IHost host = CreateWorker(configure, runtime, settings);
        await host.StartAsync();
        return host;
    }

    /// <summary>A worker that has not started.</summary>
    public static IHost CreateWorker(Action<EdgeSplitBuilder> configure, FakePartitionRuntime? runtime = null, params (string Key, string Value)[] settings)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(settings.Select(static setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)));
        Add(builder.Services, configure, runtime);
        return builder.Build();
    }

    /// <summary>A web application that has started: one port for HTTP/1.1 and one for gRPC.</summary>
    public static async Task<WebApplication> StartWebAsync(Action<EdgeSplitBuilder> configure, Action<WebApplication>? map = null, FakePartitionRuntime? runtime = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(static kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, static listen => listen.Protocols = HttpProtocols.Http1);
            kestrel.Listen(IPAddress.Loopback, 0, static listen => listen.Protocols = HttpProtocols.Http2);
        });
        Add(builder.Services, configure, runtime);
        WebApplication application = builder.Build();
        map?.Invoke(application);
        await application.StartAsync();
        return application;
    }

    public static string HttpAddress(this WebApplication application) => Addresses(application).First();

    public static string GrpcAddress(this WebApplication application) => Addresses(application).Last();

    /// <summary>A coordinator of the model that spreads its layers over as many agents.</summary>
    public static void SpreadOver(CoordinatorHostOptions options, int agents)
    {
        options.MinimumAgents = agents;
        options.AddModel("chain");
        options.Customize = static coordinator => coordinator with { Partitioner = FixedPartitioner.RoundRobin, Adaptation = null };
    }

    private static ICollection<string> Addresses(WebApplication application) =>
        application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;

    private static void Add(IServiceCollection services, Action<EdgeSplitBuilder> configure, FakePartitionRuntime? runtime)
    {
        services.AddSingleton<IModelFormat>(new FakeModelFormat(Model));
        services.AddSingleton<IPartitionRuntime>(runtime ?? new FakePartitionRuntime());
        configure(services.AddEdgeSplit());
    }
}
