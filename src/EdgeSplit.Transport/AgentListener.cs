using System.Net;
using EdgeSplit.Agents.Internal;
using EdgeSplit.Transport.Connections;
using EdgeSplit.Transport.Serving;
using Microsoft.Extensions.Logging;

namespace EdgeSplit.Transport;

/// <summary>Listens for agents that join with an <see cref="AgentDialer"/>, and gives each of them as a <see cref="RemoteEdgeAgent"/>.</summary>
/// <remarks>
/// Thread-safe. An agent that comes back after a loss is given anew, with the id that it had. While an agent of some id is
/// connected and answers, another of the same id is turned away; one that no longer answers gives way.
/// </remarks>
public sealed class AgentListener : IAsyncDisposable
{
    private readonly AgentListenerOptions _options;
    private readonly ILogger _logger;
    private readonly Acceptor _acceptor;
    private readonly JoinedAgents<RemoteEdgeAgent> _joined;

    /// <summary>Creates a listener that does not listen yet.</summary>
    /// <param name="options">Where and how to listen; null for the defaults.</param>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.AccessDenied"/>: the address is open to others and nothing guards it.</exception>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public AgentListener(AgentListenerOptions? options = null)
    {
        _options = options ?? new AgentListenerOptions();
        _options.Validate();
        _logger = _options.CreateLogger<AgentListener>();
        _joined = new JoinedAgents<RemoteEdgeAgent>(nameof(AgentListener), _options.TimeProvider, static agent => agent.Address, static (agent, reason) => agent.BeginClose(reason));
        _acceptor = new Acceptor(PeerRole.Coordinator, "", _options, _logger, _joined.AdmitAsync, ServeAsync);
    }

    /// <summary>The address that is listened on, with the port that was given out.</summary>
    /// <exception cref="InvalidOperationException">The listener was not started.</exception>
    public EndPoint EndPoint => _acceptor.EndPoint;

    /// <summary>The number of connections now, those of accepted agents included.</summary>
    public int ConnectionCount => _acceptor.ConnectionCount;

    /// <summary>Starts to listen and returns when agents can join.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidArgument"/>: the address is taken or not this machine's.</exception>
    public ValueTask StartAsync(CancellationToken cancellationToken = default) => _acceptor.StartAsync(cancellationToken);

    /// <summary>Waits for the next agent that joins, and gives it to the caller to dispose of.</summary>
    /// <exception cref="ObjectDisposedException">The listener was disposed of.</exception>
    public ValueTask<RemoteEdgeAgent> AcceptAsync(CancellationToken cancellationToken = default) => _joined.AcceptAsync(cancellationToken);

    /// <summary>Gives the agents that join, until the listener is disposed of.</summary>
    public IAsyncEnumerable<RemoteEdgeAgent> AcceptAllAsync(CancellationToken cancellationToken = default) => _joined.AcceptAllAsync(cancellationToken);

    /// <summary>Stops listening. Agents that were given out stay connected; those that nobody has taken are closed.</summary>
    public async ValueTask DisposeAsync()
    {
        await _acceptor.StopAsync().ConfigureAwait(false);
        await _joined.CloseAsync().ConfigureAwait(false);
    }

    private async Task ServeAsync(OpenConnection connection, CancellationToken stopping)
    {
        var agent = new RemoteEdgeAgent(connection, _options, _options.RequestTimeout, _logger);
        _joined.Enter(agent.Id, agent);
        TransportLog.AgentJoined(_logger, agent.Id, agent.Address);
        await _joined.GiveAsync(agent).ConfigureAwait(false);
        await agent.Disconnected.ConfigureAwait(false);
        _joined.Leave(agent.Id, agent);
        TransportLog.Ended(_logger, agent.Address, $"agent '{agent.Id}' is gone");
    }
}
