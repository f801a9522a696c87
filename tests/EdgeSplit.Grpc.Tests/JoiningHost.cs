using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EdgeSplit.Grpc.Tests;

/// <summary>A web server on which agents join.</summary>
internal sealed class JoiningHost : IAsyncDisposable
{
    private readonly WebApplication _application;

    private JoiningHost(WebApplication application, GrpcAgentListener listener) => (_application, Listener) = (application, listener);

    public GrpcAgentListener Listener { get; }

    public string Address => _application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    public static async Task<JoiningHost> StartAsync(GrpcServiceOptions? options = null, int port = 0)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, static listen => listen.Protocols = HttpProtocols.Http2));
        var listener = new GrpcAgentListener();
        builder.Services.AddEdgeSplitAgentListener(_ => listener, _ => options ?? new GrpcServiceOptions());
        WebApplication application = builder.Build();
        application.MapEdgeSplit();
        await application.StartAsync();
        return new JoiningHost(application, listener);
    }

    public async ValueTask DisposeAsync()
    {
        await Listener.DisposeAsync();
        await _application.StopAsync();
        await _application.DisposeAsync();
    }
}
