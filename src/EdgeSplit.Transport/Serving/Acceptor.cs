using System.Net;
using EdgeSplit.Agents.Internal;
using EdgeSplit.Transport.Connections;
using EdgeSplit.Transport.Duplex;
using Microsoft.Extensions.Logging;

namespace EdgeSplit.Transport.Serving;

/// <summary>Listens, shakes hands with whoever connects, within the limits, and hands open connections over.</summary>
/// <param name="role">What this side is.</param>
/// <param name="ownId">This side's id if it is an agent; empty if not.</param>
/// <param name="options">Where and how, checked.</param>
/// <param name="logger">The logger.</param>
/// <param name="admit">Asked with a peer's id before it is welcomed; throws to turn it away.</param>
/// <param name="serve">Owns a connection from now on, and runs until it has ended.</param>
internal sealed class Acceptor(
    PeerRole role,
    string ownId,
    ListenOptions options,
    ILogger logger,
    Func<string, CancellationToken, ValueTask> admit,
    Func<OpenConnection, CancellationToken, Task> serve)
{
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromMilliseconds(100);

    private readonly CancellationTokenSource _stopping = new();
    private readonly ConnectionCounter _connections = new(
        options.MaxConnections, options.MaxConnectionsPerPeer, options.MaxNewConnectionsPerPeerAndMinute, options.TimeProvider);
    private readonly PeerMemory _memory = new(options.MaxBufferedBytesPerPeer);
    private IDuplexListener? _listener;
    private Task _accepting = Task.CompletedTask;

    /// <summary>The address that is listened on.</summary>
    /// <exception cref="InvalidOperationException">It was not started.</exception>
    public EndPoint EndPoint => _listener?.EndPoint ?? throw new InvalidOperationException("It does not listen yet; call StartAsync first.");

    public int ConnectionCount => _connections.Count;

    public async ValueTask StartAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_stopping.IsCancellationRequested, this);
        if (_listener is not null)
            throw new InvalidOperationException("It listens already.");
        _listener = await options.Transport.ListenAsync(options.EndPoint, cancellationToken).ConfigureAwait(false);
        TransportLog.Listening(logger, role, HostAndPort.Format(_listener.EndPoint));
        using (ExecutionContext.SuppressFlow())
            _accepting = Task.Run(() => AcceptAsync(_listener));
    }

    /// <summary>Stops listening and tells those that serve to end.</summary>
    public async ValueTask StopAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        if (_listener is not null)
            await _listener.DisposeAsync().ConfigureAwait(false);
        await _accepting.ConfigureAwait(false);
    }

    /// <summary>Waits until all connections have ended.</summary>
    public Task DrainAsync() => _connections.DrainAsync();

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
                TransportLog.AcceptFailed(logger, HostAndPort.Format(listener.EndPoint), exception);
                await Task.Delay(PauseAfterFailure, options.TimeProvider, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task ServeAsync(IDuplexConnection connection)
    {
        string peer = connection.RemoteEndPoint is { } endPoint ? HostAndPort.Format(endPoint) : "an unnamed peer";
        string? refusal = _connections.TryEnter(connection.RemoteEndPoint);
        try
        {
            OpenConnection open = await OpenConnection.AcceptAsync(connection, role, ownId, refusal, admit, options, _stopping.Token).ConfigureAwait(false);
            TransportLog.Accepted(logger, peer);
            await serve(open with { Share = _memory.Of((connection.RemoteEndPoint as IPEndPoint)?.Address) }, _stopping.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is EdgeSplitException || Farewell.IsConnectionLoss(exception))
        {
            TransportLog.Refused(logger, peer, exception.Message);
        }
        catch (Exception exception)
        {
            TransportLog.SessionFailed(logger, connection.RemoteEndPoint, exception);
        }
        finally
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            if (refusal is null)
                _connections.Leave(connection.RemoteEndPoint);
        }
    }
}
