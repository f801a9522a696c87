using System.Net;
using EdgeSplit.Agents;
using EdgeSplit.Transport.Duplex;
using EdgeSplit.Transport.Serving;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

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
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConnectionCounter _connections;
    private IDuplexListener? _listener;
    private Task _accepting = Task.CompletedTask;

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
        _connections = new ConnectionCounter(
            _options.MaxConnections, _options.MaxConnectionsPerPeer, _options.MaxNewConnectionsPerPeerAndMinute, _options.TimeProvider);
        _logger = (_options.LoggerFactory ?? NullLoggerFactory.Instance).CreateLogger<AgentServer>();
    }

    /// <summary>The address that is listened on, with the port that was given out.</summary>
    /// <exception cref="InvalidOperationException">The server was not started.</exception>
    public EndPoint EndPoint => _listener?.EndPoint ?? throw new InvalidOperationException("The server was not started; call StartAsync first.");

    /// <summary>The number of connections now.</summary>
    public int ConnectionCount => _connections.Count;

    /// <summary>Starts to listen and returns when peers can connect.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidArgument"/>: the address is taken or not this machine's.</exception>
    public async ValueTask StartAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_stopping.IsCancellationRequested, this);
        if (_listener is not null)
            throw new InvalidOperationException("The server was started already.");
        _listener = await _options.Transport.ListenAsync(_options.EndPoint, cancellationToken).ConfigureAwait(false);
        TransportLog.Listening(_logger, _agent.Id, HostAndPort.Format(_listener.EndPoint));
        using (ExecutionContext.SuppressFlow())
            _accepting = Task.Run(() => AcceptAsync(_listener));
    }

    /// <summary>Stops listening, ends all connections and waits until what ran for them has ended and was unloaded.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        if (_listener is not null)
            await _listener.DisposeAsync().ConfigureAwait(false);
        await _accepting.ConfigureAwait(false);
        await _connections.DrainAsync().ConfigureAwait(false);
    }

    private async Task AcceptAsync(IDuplexListener listener)
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                IDuplexConnection connection = await listener.AcceptAsync(_stopping.Token).ConfigureAwait(false);
                _ = Task.Run(() => ServeAsync(connection), CancellationToken.None);
            }
            catch (Exception) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                // Out of sockets, as a rule. Those in use will end.
                TransportLog.AcceptFailed(_logger, HostAndPort.Format(listener.EndPoint), exception);
                await Task.Delay(TimeSpan.FromMilliseconds(100), _options.TimeProvider, _stopping.Token)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task ServeAsync(IDuplexConnection connection)
    {
        string? refusal = _connections.TryEnter(connection.RemoteEndPoint);
        try
        {
            await AgentSession.RunAsync(_agent, connection, refusal, _options, _logger, _stopping.Token).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            TransportLog.SessionFailed(_logger, connection.RemoteEndPoint, exception);
        }
        finally
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            if (refusal is null)
                _connections.Leave(connection.RemoteEndPoint);
        }
    }
}
