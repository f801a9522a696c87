using System.Net;
using EdgeSplit.Coordination;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EdgeSplit.Grpc.Tests;

/// <summary>A coordinator behind a web server, as an application would have it: one port for gRPC, one for REST.</summary>
internal sealed class CoordinatorHost : IAsyncDisposable
{
    private readonly WebApplication _application;

    private CoordinatorHost(WebApplication application) => _application = application;

    public string GrpcAddress => Addresses.First();

    public string RestAddress => Addresses.Last();

    private ICollection<string> Addresses =>
        _application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;

    public static async Task<CoordinatorHost> StartAsync(Coordinator coordinator, GrpcServiceOptions? options = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(static kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, static listen => listen.Protocols = HttpProtocols.Http2);
            kestrel.Listen(IPAddress.Loopback, 0, static listen => listen.Protocols = HttpProtocols.Http1);
        });
        builder.Services.AddSingleton(coordinator);
        builder.Services.AddEdgeSplitCoordinatorServices(options: options);
        WebApplication application = builder.Build();
        application.MapEdgeSplit();
        await application.StartAsync();
        return new CoordinatorHost(application);
    }

    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync();
        await _application.DisposeAsync();
    }
}
