namespace EdgeSplit.Transport.Serving;

/// <summary>Counts the connections of a server, in all and for each peer address, and holds them to their limits.</summary>
internal sealed class ConnectionCounter(int max, int maxPerPeer)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _byPeer = [];
    private TaskCompletionSource? _drained;

    public int Count { get; private set; }

    /// <summary>Counts a connection in; returns why not if it must be refused.</summary>
    public string? TryEnter(string peer)
    {
        lock (_gate)
        {
            int ofPeer = _byPeer.GetValueOrDefault(peer);
            if (Count >= max)
                return $"The agent serves {Count} connections and takes no more.";
            if (ofPeer >= maxPerPeer)
                return $"The agent serves {ofPeer} connections from your address and takes no more.";
            Count++;
            _byPeer[peer] = ofPeer + 1;
            return null;
        }
    }

    /// <summary>Counts a connection out that was counted in.</summary>
    public void Leave(string peer)
    {
        lock (_gate)
        {
            if (--_byPeer[peer] == 0)
                _byPeer.Remove(peer);
            if (--Count == 0)
                _drained?.TrySetResult();
        }
    }

    /// <summary>Waits until no connection is left.</summary>
    public Task DrainAsync()
    {
        lock (_gate)
        {
            if (Count == 0)
                return Task.CompletedTask;
            _drained ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _drained.Task;
        }
    }
}
