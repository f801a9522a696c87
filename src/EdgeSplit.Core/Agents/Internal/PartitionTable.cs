namespace EdgeSplit.Agents.Internal;

/// <summary>The partitions of an agent by id: loaded once however many ask at once, counted, unloaded with the last.</summary>
internal sealed class PartitionTable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, LoadedPartition> _loaded = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Task> _loading = new(StringComparer.Ordinal);
    private bool _closed;

    public int Count
    {
        get
        {
            lock (_lock)
                return _loaded.Count;
        }
    }

    /// <summary>Counts a load, and makes the executor where nobody else has done so or is about to.</summary>
    public async ValueTask LoadAsync(string id, Func<CancellationToken, ValueTask<IPartitionExecutor>> load, CancellationToken cancellationToken)
    {
        TaskCompletionSource mine = new(TaskCreationOptions.RunContinuationsAsynchronously);
        while (true)
        {
            Task? others;
            lock (_lock)
            {
                if (_loaded.TryGetValue(id, out LoadedPartition? loaded))
                {
                    loaded.Loads++;
                    return;
                }
                if (!_loading.TryGetValue(id, out others))
                    _loading.Add(id, mine.Task);
            }
            if (others is null)
                break;
            try
            {
                await others.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // The other caller gave up; its source of weights is gone with it, so load from ours.
            }
        }

        try
        {
            IPartitionExecutor executor = await load(cancellationToken).ConfigureAwait(false);
            lock (_lock)
            {
                if (!_closed)
                {
                    _loading.Remove(id);
                    _loaded.Add(id, new LoadedPartition(executor));
                    mine.SetResult();
                    return;
                }
            }
            executor.Dispose();
            throw new OperationCanceledException();
        }
        catch (Exception exception)
        {
            lock (_lock)
                _loading.Remove(id);
            if (exception is OperationCanceledException)
                mine.SetCanceled(CancellationToken.None);
            else
                mine.SetException(exception);
            _ = mine.Task.Exception; // Observed: nobody may be waiting.
            throw;
        }
    }

    /// <summary>The partition, with one more user who releases it; null where it is not loaded.</summary>
    public LoadedPartition? TryUse(string id)
    {
        lock (_lock)
        {
            if (!_loaded.TryGetValue(id, out LoadedPartition? partition))
                return null;
            partition.AddUser();
            return partition;
        }
    }

    /// <summary>Takes back one load; with the last, waits until running executions have ended and the executor is gone.</summary>
    public async ValueTask UnloadAsync(string id, CancellationToken cancellationToken)
    {
        LoadedPartition? partition;
        lock (_lock)
        {
            if (!_loaded.TryGetValue(id, out partition) || --partition.Loads > 0)
                return;
            _loaded.Remove(id);
        }
        partition.Release();
        await partition.Disposed.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Unloads everything, however often loaded, and waits for loads that were cancelled. Later ones are cancelled too.</summary>
    public async ValueTask CloseAsync()
    {
        LoadedPartition[] partitions;
        Task[] loading;
        lock (_lock)
        {
            _closed = true;
            partitions = [.. _loaded.Values];
            _loaded.Clear();
            loading = [.. _loading.Values];
        }
        await Task.WhenAll(loading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (LoadedPartition partition in partitions)
        {
            partition.Release();
            await partition.Disposed.ConfigureAwait(false);
        }
    }
}
