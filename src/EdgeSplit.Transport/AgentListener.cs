using System.Collections.Concurrent;
using System.Net;
using System.Threading.Channels;
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
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(2);

    private readonly AgentListenerOptions _options;
    private readonly ILogger _logger;
    private readonly Acceptor _acceptor;
    private readonly ConcurrentDictionary<string, RemoteEdgeAgent> _connected = new(StringComparer.Ordinal);
    private readonly Channel<RemoteEdgeAgent> _joined = Channel.CreateUnbounded<RemoteEdgeAgent>();

    /// <summary>Creates a listener that does not listen yet.</summary>
    /// <param name="options">Where and how to listen; null for the defaults.</param>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.AccessDenied"/>: the address is open to others and nothing guards it.</exception>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public AgentListener(AgentListenerOptions? options = null)
    {
        _options = options ?? new AgentListenerOptions();
        _options.Validate();
        _logger = _options.CreateLogger<AgentListener>();
        _acceptor = new Acceptor(PeerRole.Coordinator, "", _options, _logger, AdmitAsync, ServeAsync);
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
    public async ValueTask<RemoteEdgeAgent> AcceptAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            return await _joined.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException)
        {
            throw new ObjectDisposedException(nameof(AgentListener));
        }
    }

    /// <summary>Gives the agents that join, until the listener is disposed of.</summary>
    public IAsyncEnumerable<RemoteEdgeAgent> AcceptAllAsync(CancellationToken cancellationToken = default) =>
        _joined.Reader.ReadAllAsync(cancellationToken);

    /// <summary>Stops listening. Agents that were given out stay connected; those that nobody has taken are closed.</summary>
    public async ValueTask DisposeAsync()
    {
        await _acceptor.StopAsync().ConfigureAwait(false);
        _joined.Writer.TryComplete();
        while (_joined.Reader.TryRead(out RemoteEdgeAgent? agent))
            await agent.DisposeAsync().ConfigureAwait(false);
    }

    private async ValueTask AdmitAsync(string id, CancellationToken cancellationToken)
    {
        if (!_connected.TryGetValue(id, out RemoteEdgeAgent? known))
            return;
        try
        {
            await known.ReportAsync(cancellationToken).AsTask().WaitAsync(AnswerTimeout, _options.TimeProvider, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is EdgeSplitException or TimeoutException or ObjectDisposedException)
        {
            known.BeginClose($"Agent '{id}' has joined anew.");
            return;
        }
        throw new EdgeSplitException(
            EdgeSplitError.InvalidArgument, $"An agent '{id}' is connected from {known.Address}. Give each agent an id of its own.");
    }

    private async Task ServeAsync(OpenConnection connection, CancellationToken stopping)
    {
        var agent = new RemoteEdgeAgent(connection, _options, _options.RequestTimeout, _logger);
        if (_connected.TryGetValue(agent.Id, out RemoteEdgeAgent? other))
            other.BeginClose($"Agent '{agent.Id}' has joined anew.");
        _connected[agent.Id] = agent;
        TransportLog.AgentJoined(_logger, agent.Id, agent.Address);
        if (!_joined.Writer.TryWrite(agent))
            await agent.DisposeAsync().ConfigureAwait(false);
        await agent.Disconnected.ConfigureAwait(false);
        _connected.TryRemove(KeyValuePair.Create(agent.Id, agent));
        TransportLog.Ended(_logger, agent.Address, $"agent '{agent.Id}' is gone");
    }
}
