using EdgeSplit.Agents.Internal;

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
    private readonly JoinedAgents<GrpcEdgeAgent> _joined;

    /// <summary>Creates a listener.</summary>
    /// <param name="options">How to call the agents; addresses, tokens and certificates are of no concern. Null for the defaults.</param>
    public GrpcAgentListener(GrpcConnectOptions? options = null)
    {
        Options = (options ?? new GrpcConnectOptions()) with { Token = null };
        _joined = new JoinedAgents<GrpcEdgeAgent>(nameof(GrpcAgentListener), Options.TimeProvider, static agent => agent.Address, static (agent, reason) => agent.Abandon(reason));
    }

    internal GrpcConnectOptions Options { get; }

    /// <summary>Waits for the next agent that joins, and gives it to the caller to dispose of.</summary>
    /// <exception cref="ObjectDisposedException">The listener was disposed of.</exception>
    public ValueTask<GrpcEdgeAgent> AcceptAsync(CancellationToken cancellationToken = default) => _joined.AcceptAsync(cancellationToken);

    /// <summary>Gives the agents that join, until the listener is disposed of.</summary>
    public IAsyncEnumerable<GrpcEdgeAgent> AcceptAllAsync(CancellationToken cancellationToken = default) => _joined.AcceptAllAsync(cancellationToken);

    /// <summary>Takes no more agents. Those that were given out stay connected; those that nobody has taken are closed.</summary>
    public ValueTask DisposeAsync() => _joined.CloseAsync();

    /// <summary>Refuses an agent whose id is taken.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidArgument"/>.</exception>
    internal ValueTask AdmitAsync(string id, CancellationToken cancellationToken) => _joined.AdmitAsync(id, cancellationToken);

    /// <summary>Gives an agent that has joined to whoever accepts.</summary>
    internal async ValueTask GiveAsync(GrpcEdgeAgent agent)
    {
        _joined.Enter(agent.Id, agent);
        _ = ForgetAsync(agent);
        GrpcLog.AgentJoined(Options.CreateLogger<GrpcAgentListener>(), agent.Id, agent.Address);
        await _joined.GiveAsync(agent).ConfigureAwait(false);
    }

    private async Task ForgetAsync(GrpcEdgeAgent agent)
    {
        await agent.Disconnected.ConfigureAwait(false);
        _joined.Leave(agent.Id, agent);
    }
}
