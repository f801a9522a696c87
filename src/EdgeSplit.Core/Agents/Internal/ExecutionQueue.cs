namespace EdgeSplit.Agents.Internal;

/// <summary>
/// Runs executions first come, first served on a fixed number of threads of its own: an execution blocks its thread for as
/// long as the runtime computes, which would starve the thread pool. Threads start when they are first needed.
/// </summary>
internal sealed class ExecutionQueue(string agentId, int threadCount, int maxQueued)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Execution> _waiting = [];
    private readonly SemaphoreSlim _available = new(0);
    private readonly List<Thread> _threads = [];
    private int _running;
    private bool _closed;

    /// <summary>Executions running or waiting.</summary>
    public int Pending
    {
        get
        {
            lock (_lock)
                return _running + _waiting.Count;
        }
    }

    /// <summary>Enqueues an execution. Its task ends when it ran, or at once when it is cancelled while it waits.</summary>
    public void Add(Execution execution)
    {
        lock (_lock)
        {
            if (_closed)
                throw ShutDown();
            // Those that a free thread will take at once do not count as queued.
            if (_running + _waiting.Count >= threadCount + maxQueued)
            {
                throw new EdgeSplitException(
                    EdgeSplitError.Overloaded,
                    $"Agent '{agentId}' has {_running} executions running and {_waiting.Count} waiting, its limit. Try again later, or raise {nameof(EdgeAgentOptions.MaxQueuedExecutions)}.");
            }
            execution.Node = _waiting.AddLast(execution);
            if (_threads.Count < threadCount && _running + _waiting.Count > _threads.Count)
                StartThread();
            // Under the lock, so that the execution cannot end before it is registered, and leave the registration behind.
            execution.OnQueued(this);
        }
        _available.Release();
    }

    /// <summary>Takes an execution out of the queue if it still waits there.</summary>
    public bool Remove(Execution execution)
    {
        lock (_lock)
        {
            if (execution.Node is null)
                return false;
            _waiting.Remove(execution.Node);
            execution.Node = null;
            return true;
        }
    }

    /// <summary>Notes that an execution has ended, so that the next does not count as queued.</summary>
    public void OnEnded()
    {
        lock (_lock)
            _running--;
    }

    /// <summary>Fails what waits, lets what runs end, and ends the threads.</summary>
    public async ValueTask CloseAsync()
    {
        List<Execution> refused = [];
        lock (_lock)
        {
            if (_closed)
                return;
            _closed = true;
            foreach (Execution execution in _waiting)
            {
                execution.Node = null;
                refused.Add(execution);
            }
            _waiting.Clear();
        }
        foreach (Execution execution in refused)
            execution.Fail(ShutDown());
        if (_threads.Count > 0)
        {
            _available.Release(_threads.Count);
            await Task.Run(() => _threads.ForEach(static thread => thread.Join())).ConfigureAwait(false);
        }
    }

    private EdgeSplitException ShutDown() => new(EdgeSplitError.AgentUnavailable, $"Agent '{agentId}' was shut down.");

    private void StartThread()
    {
        var thread = new Thread(Work) { IsBackground = true, Name = $"edgesplit {agentId} {_threads.Count}" };
        _threads.Add(thread);
        thread.Start();
    }

    private void Work()
    {
        while (true)
        {
            _available.Wait();
            Execution execution;
            lock (_lock)
            {
                if (_waiting.First is null)
                {
                    if (_closed)
                        return;
                    continue; // It was cancelled while it waited.
                }
                execution = _waiting.First.Value;
                _waiting.RemoveFirst();
                execution.Node = null;
                _running++;
            }
            execution.Run();
        }
    }
}
