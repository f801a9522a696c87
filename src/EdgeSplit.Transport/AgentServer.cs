using System.Net;
using EdgeSplit.Agents;
using EdgeSplit.Transport.Connections;
using EdgeSplit.Transport.Serving;
using Microsoft.Extensions.Logging;

namespace EdgeSplit.Transport;

/// <summary>
/// Serves one agent to coordinators that connect as <see cref="RemoteEdgeAgent"/>. When a connection ends, what runs for it is
/// cancelled and what was loaded through it is unloaded; the server goes on.
/// </summary>
/// <remarks>Thread-safe. The agent stays the caller's: dispose of the server first, then of the agent.</remarks>
public sealed class AgentServer : IAsyncDisposable
{
    private readonly IEdgeAgent _agent;
    private readonly AgentServerOptions _options;
    private readonly ILogger _logger;
    private readonly Acceptor _acceptor;

    /// <summary>Creates a server that does not listen yet.</summary>
    /// <param name="agent">The agent; borrowed until the server is disposed of.</param>
    /// <param name="options">Where and how to listen; null for the defaults.</param>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.AccessDenied"/>: the address is open to others and nothing guards it.</exception>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public AgentServer(IEdgeAgent agent, AgentServerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(agent);
        _agent = agent;
        _options = options ?? new AgentServerOptions();
        _options.Validate();
        _logger = _options.CreateLogger<AgentServer>();
        _acceptor = new Acceptor(
            PeerRole.Agent,
            agent.Id,
            _options,
            _logger,
            static (_, _) => ValueTask.CompletedTask,
            (connection, stopping) => AgentSession.RunAsync(_agent, connection, _options, _options.PeerAddress, _logger, stopping));
    }

    /// <summary>The address that is listened on, with the port that was given out.</summary>
    /// <exception cref="InvalidOperationException">The server was not started.</exception>
    public EndPoint EndPoint => _acceptor.EndPoint;

    /// <summary>
    /// What an agent that also joins a coordinator names as its <see cref="AgentDialerOptions.PeerAddress"/>: the address that is
    /// listened on, or <c>*:PORT</c> where that is every address of this machine.
    /// </summary>
    /// <exception cref="InvalidOperationException">The server was not started.</exception>
    public string PeerAddress => _options.PeerAddress ?? HostAndPort.FormatForPeers(EndPoint);

    /// <summary>The number of connections now.</summary>
    public int ConnectionCount => _acceptor.ConnectionCount;

    /// <summary>Starts to listen and returns when peers can connect.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidArgument"/>: the address is taken or not this machine's.</exception>
    public ValueTask StartAsync(CancellationToken cancellationToken = default) => _acceptor.StartAsync(cancellationToken);

    /// <summary>Stops listening, ends all connections and waits until what ran for them has ended and was unloaded.</summary>
    public async ValueTask DisposeAsync()
    {
        await _acceptor.StopAsync().ConfigureAwait(false);
        await _acceptor.DrainAsync().ConfigureAwait(false);
    }
}
