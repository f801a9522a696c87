using EdgeSplit.Agents;

namespace EdgeSplit.Transport;

/// <summary>Connects an agent to others behind an <see cref="AgentServer"/>, once for each, when it is first needed.</summary>
/// <remarks>Thread-safe. Give it to <see cref="EdgeAgentOptions.Peers"/>, and dispose of it after the agent.</remarks>
public sealed class TcpAgentPeers : IAgentPeers, IAsyncDisposable
{
    /// <summary>The time that connecting to another agent may take: a request waits for it.</summary>
    public static readonly TimeSpan DefaultConnectTimeout = TimeSpan.FromSeconds(2);

    private readonly RemoteEdgeAgentOptions _options;
    private readonly Lock _lock = new();
    private readonly Dictionary<PeerAddress, Task<RemoteEdgeAgent>> _connections = [];
    private bool _isDisposed;

    /// <summary>Creates it without connections.</summary>
    /// <param name="options">How to connect, as a coordinator would: join token, TLS; null for the defaults, with <see cref="DefaultConnectTimeout"/>.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public TcpAgentPeers(RemoteEdgeAgentOptions? options = null)
    {
        _options = options ?? new RemoteEdgeAgentOptions { ConnectTimeout = DefaultConnectTimeout };
        _options.Validate();
    }

    /// <inheritdoc/>
    public async ValueTask DeliverAsync(PeerAddress peer, ActivationDelivery delivery, CancellationToken cancellationToken)
    {
        RemoteEdgeAgent agent = await ConnectAsync(peer, cancellationToken).ConfigureAwait(false);
        await agent.SendAsync(delivery, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<TimeSpan> ProbeAsync(PeerAddress peer, int payloadByteCount, CancellationToken cancellationToken)
    {
        RemoteEdgeAgent agent = await ConnectAsync(peer, cancellationToken).ConfigureAwait(false);
        return await agent.ProbeAsync(payloadByteCount, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Closes the connections.</summary>
    public async ValueTask DisposeAsync()
    {
        Task<RemoteEdgeAgent>[] connections;
        lock (_lock)
        {
            _isDisposed = true;
            connections = [.. _connections.Values];
            _connections.Clear();
        }
        foreach (Task<RemoteEdgeAgent> connection in connections)
        {
            await Task.WhenAny(connection).ConfigureAwait(false);
            if (connection.IsCompletedSuccessfully)
                await connection.Result.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async ValueTask<RemoteEdgeAgent> ConnectAsync(PeerAddress peer, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(peer);
        Task<RemoteEdgeAgent> connection;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (!_connections.TryGetValue(peer, out connection!) || HasEnded(connection))
            {
                // Agents that come back at other addresses leave theirs behind.
                foreach (PeerAddress ended in _connections.Where(static pair => HasEnded(pair.Value)).Select(static pair => pair.Key).ToArray())
                    _connections.Remove(ended);
                _connections[peer] = connection = Task.Run(() => OpenAsync(peer), CancellationToken.None);
            }
        }
        return await connection.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    private static bool HasEnded(Task<RemoteEdgeAgent> connection) =>
        connection.IsCompleted && (!connection.IsCompletedSuccessfully || connection.Result.Disconnected.IsCompleted);

    private async Task<RemoteEdgeAgent> OpenAsync(PeerAddress peer)
    {
        RemoteEdgeAgent agent = await RemoteEdgeAgent.ConnectAsync(peer.Address, _options, CancellationToken.None).ConfigureAwait(false);
        if (agent.Id == peer.AgentId)
            return agent;
        await agent.DisposeAsync().ConfigureAwait(false);
        throw new EdgeSplitException(EdgeSplitError.AgentUnavailable, $"At {peer.Address} agent '{agent.Id}' answers, not '{peer.AgentId}'. The coordinator reaches them by addresses that mean something else here.");
    }
}
