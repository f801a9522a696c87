using System.Collections.Concurrent;
using System.Threading.Channels;

namespace EdgeSplit.Grpc;

/// <summary>
/// Takes agents that join a coordinator over gRPC with a <see cref="GrpcAgentDialer"/>, and gives each as a <see cref="GrpcEdgeAgent"/>.
/// <see cref="GrpcServices.AddEdgeSplitAgentListener"/> puts it behind a web application's port.
/// </summary>
/// <remarks>
/// Thread-safe. An agent that comes back after a loss is given anew, with the id that it had. While an agent of some id is
/// connected and answers, another of the same id is turned away; one that no longer answers gives way.
/// </remarks>
public sealed class GrpcAgentListener : IAsyncDisposable
{
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<string, GrpcEdgeAgent> _connected = new(StringComparer.Ordinal);
    private readonly Channel<GrpcEdgeAgent> _joined = Channel.CreateUnbounded<GrpcEdgeAgent>();

    /// <summary>Creates a listener.</summary>
    /// <param name="options">How to call the agents; addresses, tokens and certificates are of no concern. Null for the defaults.</param>
    public GrpcAgentListener(GrpcConnectOptions? options = null) => Options = (options ?? new GrpcConnectOptions()) with { Token = null };

    internal GrpcConnectOptions Options { get; }

    /// <summary>Waits for the next agent that joins, and gives it to the caller to dispose of.</summary>
    /// <exception cref="ObjectDisposedException">The listener was disposed of.</exception>
    public async ValueTask<GrpcEdgeAgent> AcceptAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            return await _joined.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException)
        {
            throw new ObjectDisposedException(nameof(GrpcAgentListener));
        }
    }

    /// <summary>Gives the agents that join, until the listener is disposed of.</summary>
    public IAsyncEnumerable<GrpcEdgeAgent> AcceptAllAsync(CancellationToken cancellationToken = default) => _joined.Reader.ReadAllAsync(cancellationToken);

    /// <summary>Takes no more agents. Those that were given out stay connected; those that nobody has taken are closed.</summary>
    public async ValueTask DisposeAsync()
    {
        _joined.Writer.TryComplete();
        while (_joined.Reader.TryRead(out GrpcEdgeAgent? agent))
            await agent.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Refuses an agent whose id is taken.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidArgument"/>.</exception>
    internal async ValueTask AdmitAsync(string id, CancellationToken cancellationToken)
    {
        if (!_connected.TryGetValue(id, out GrpcEdgeAgent? known))
            return;
        try
        {
            await known.ReportAsync(cancellationToken).AsTask().WaitAsync(AnswerTimeout, Options.TimeProvider, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is EdgeSplitException or TimeoutException or ObjectDisposedException)
        {
            known.Abandon($"Agent '{id}' has joined anew.");
            return;
        }
        throw new EdgeSplitException(EdgeSplitError.InvalidArgument, $"An agent '{id}' is connected from {known.Address}. Give each agent an id of its own.");
    }

    /// <summary>Gives an agent that has joined to whoever accepts.</summary>
    internal async ValueTask GiveAsync(GrpcEdgeAgent agent)
    {
        if (_connected.TryGetValue(agent.Id, out GrpcEdgeAgent? other))
            other.Abandon($"Agent '{agent.Id}' has joined anew.");
        _connected[agent.Id] = agent;
        _ = ForgetAsync(agent);
        GrpcLog.AgentJoined(Options.CreateLogger<GrpcAgentListener>(), agent.Id, agent.Address);
        if (!_joined.Writer.TryWrite(agent))
            await agent.DisposeAsync().ConfigureAwait(false);
    }

    private async Task ForgetAsync(GrpcEdgeAgent agent)
    {
        await agent.Disconnected.ConfigureAwait(false);
        _connected.TryRemove(KeyValuePair.Create(agent.Id, agent));
    }
}
