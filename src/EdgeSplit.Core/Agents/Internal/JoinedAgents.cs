using System.Collections.Concurrent;
using System.Threading.Channels;

namespace EdgeSplit.Agents.Internal;

/// <summary>
/// The agents that have joined a coordinator over one transport: one of each id at a time, handed to whoever accepts them. Thread-safe.
/// </summary>
/// <param name="listener">The listener's name, for what is thrown once it is disposed of.</param>
/// <param name="time">The clock.</param>
/// <param name="addressOf">Where an agent is connected from.</param>
/// <param name="giveWay">Ends the connection of an agent that another has taken the place of, for a reason.</param>
internal sealed class JoinedAgents<TAgent>(string listener, TimeProvider time, Func<TAgent, string> addressOf, Action<TAgent, string> giveWay)
    where TAgent : class, IEdgeAgent
{
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<string, TAgent> _connected = new(StringComparer.Ordinal);
    private readonly Channel<TAgent> _joined = Channel.CreateUnbounded<TAgent>();

    /// <summary>Waits for the next agent that joins.</summary>
    /// <exception cref="ObjectDisposedException">No more are taken.</exception>
    public async ValueTask<TAgent> AcceptAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _joined.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException)
        {
            throw new ObjectDisposedException(listener);
        }
    }

    /// <summary>Gives the agents that join, until no more are taken.</summary>
    public IAsyncEnumerable<TAgent> AcceptAllAsync(CancellationToken cancellationToken) => _joined.Reader.ReadAllAsync(cancellationToken);

    /// <summary>Takes no more agents, and disposes of those that nobody has accepted.</summary>
    public async ValueTask CloseAsync()
    {
        _joined.Writer.TryComplete();
        while (_joined.Reader.TryRead(out TAgent? agent))
            await agent.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Refuses an agent whose id is taken by one that still answers.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidArgument"/>.</exception>
    public async ValueTask AdmitAsync(string id, CancellationToken cancellationToken)
    {
        if (!_connected.TryGetValue(id, out TAgent? known))
            return;
        try
        {
            await known.ReportAsync(cancellationToken).AsTask().WaitAsync(AnswerTimeout, time, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is EdgeSplitException or TimeoutException or ObjectDisposedException)
        {
            GiveWay(id, known);
            return;
        }
        throw new EdgeSplitException(EdgeSplitError.InvalidArgument, $"An agent '{id}' is connected from {addressOf(known)}. Give each agent an id of its own.");
    }

    /// <summary>Takes the place of another agent of the id, if there is one.</summary>
    public void Enter(string id, TAgent agent)
    {
        if (_connected.TryGetValue(id, out TAgent? other))
            GiveWay(id, other);
        _connected[id] = agent;
    }

    /// <summary>Gives an agent to whoever accepts; disposes of it where no more are taken.</summary>
    public async ValueTask GiveAsync(TAgent agent)
    {
        if (!_joined.Writer.TryWrite(agent))
            await agent.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Forgets an agent whose connection has ended, unless another has taken its place.</summary>
    public void Leave(string id, TAgent agent) => _connected.TryRemove(KeyValuePair.Create(id, agent));

    private void GiveWay(string id, TAgent agent) => giveWay(agent, $"Agent '{id}' has joined anew.");
}
