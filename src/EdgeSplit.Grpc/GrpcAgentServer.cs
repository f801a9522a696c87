using EdgeSplit.Agents;
using EdgeSplit.Grpc.Serving;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace EdgeSplit.Grpc;

/// <summary>
/// Serves one agent over gRPC on a port of its own. An application with a web server of its own maps the agent there instead,
/// with <see cref="GrpcServices"/> and <see cref="GrpcEndpoints.MapEdgeSplit"/>.
/// </summary>
/// <remarks>Thread-safe. The agent stays the caller's: dispose of the server first, then of the agent.</remarks>
public sealed class GrpcAgentServer : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly IEdgeAgent _agent;
    private readonly GrpcAgentServerOptions _options;

    /// <summary>Creates a server that does not listen yet.</summary>
    /// <param name="agent">The agent; borrowed until the server is disposed of.</param>
    /// <param name="options">Where and how to listen; null for the defaults.</param>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.AccessDenied"/>: the address is open to others and nothing guards it.</exception>
    public GrpcAgentServer(IEdgeAgent agent, GrpcAgentServerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(agent);
        _agent = agent;
        _options = options ?? new GrpcAgentServerOptions();
        _options.Validate();
        _application = AgentApplication.Create(agent, _options, web => web.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(_options.EndPoint, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            ServerTls.Apply(listen, _options.Certificate, _options.ClientAuthorities);
        })));
    }

    /// <summary>The address that is listened on, with the port that was given out, as <c>http://127.0.0.1:7312</c>.</summary>
    /// <exception cref="InvalidOperationException">The server was not started.</exception>
    public string Address => _application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault()
        ?? throw new InvalidOperationException("The server was not started.");

    /// <summary>Starts to listen and returns when coordinators can connect.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidArgument"/>: the address is taken or not this machine's.</exception>
    public async ValueTask StartAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            await _application.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (IOException exception)
        {
            throw new EdgeSplitException(
                EdgeSplitError.InvalidArgument, $"Cannot listen on {_options.EndPoint}: {exception.Message} Take another address or port.", exception);
        }
        GrpcLog.Listening(_options.CreateLogger<GrpcAgentServer>(), _agent.Id, Address);
    }

    /// <summary>Stops listening, ends all sessions and waits until what was loaded through them is unloaded.</summary>
    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync().ConfigureAwait(false);
        await _application.DisposeAsync().ConfigureAwait(false);
    }
}
