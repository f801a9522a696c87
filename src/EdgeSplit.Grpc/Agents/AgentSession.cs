using EdgeSplit.Agents;
using Microsoft.Extensions.Logging;

namespace EdgeSplit.Grpc.Agents;

/// <summary>What one coordinator has loaded, to be unloaded with the end of its session.</summary>
internal sealed class AgentSession(IEdgeAgent agent, ILogger logger)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _loads = [];
    private bool _isClosed;

    /// <summary>Counts a load.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NotFound"/>: the session has ended; the load is the caller's to undo.</exception>
    public void Add(string partitionId)
    {
        lock (_gate)
        {
            if (_isClosed)
                throw new EdgeSplitException(EdgeSplitError.NotFound, "The session has ended while the partition was loaded. Open another.");
            _loads[partitionId] = _loads.GetValueOrDefault(partitionId) + 1;
        }
    }

    /// <summary>Takes one load back; unloads nothing that the session has not loaded.</summary>
    public async ValueTask UnloadAsync(string partitionId)
    {
        lock (_gate)
        {
            if (!_loads.TryGetValue(partitionId, out int count))
                return;
            if (count == 1)
                _loads.Remove(partitionId);
            else
                _loads[partitionId] = count - 1;
        }
        // Not to be cancelled: it no longer counts as loaded, so nobody would unload it later.
        await agent.UnloadAsync(partitionId, CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>Unloads everything.</summary>
    public async ValueTask CloseAsync()
    {
        string[] all;
        lock (_gate)
        {
            _isClosed = true;
            all = [.. _loads.SelectMany(static load => Enumerable.Repeat(load.Key, load.Value))];
            _loads.Clear();
        }
        foreach (string partitionId in all)
        {
            try
            {
                await agent.UnloadAsync(partitionId, CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception exception)
            {
                GrpcLog.UnloadFailed(logger, partitionId, exception);
            }
        }
    }
}
