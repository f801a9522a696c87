using System.Net;
using EdgeSplit.Agents.Internal;

namespace EdgeSplit.Transport.Serving;

/// <summary>Counts the connections of a server, in all and for each peer address, and holds them to their limits.</summary>
internal sealed class ConnectionCounter(int max, int maxPerPeer, int maxNewPerPeerAndMinute, TimeProvider timeProvider)
{
    private const int PeersBeforePruning = 1024;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<IPAddress, Peer> _peers = [];
    private TaskCompletionSource? _drained;

    public int Count { get; private set; }

    /// <summary>Counts a connection in; returns why not if it must be refused.</summary>
    public string? TryEnter(EndPoint? endPoint)
    {
        lock (_gate)
        {
            Peer peer = PeerAt(endPoint);
            if (timeProvider.GetElapsedTime(peer.WindowStart) >= Window)
                (peer.WindowStart, peer.NewInWindow) = (timeProvider.GetTimestamp(), 0);
            if (++peer.NewInWindow > maxNewPerPeerAndMinute)
                return $"Your address has opened {maxNewPerPeerAndMinute} connections within a minute; wait before the next.";
            if (Count >= max)
                return $"The agent serves {Count} connections and takes no more.";
            if (peer.Connections >= maxPerPeer)
                return $"The agent serves {peer.Connections} connections from your address and takes no more.";
            Count++;
            peer.Connections++;
            return null;
        }
    }

    /// <summary>Counts a connection out that was counted in.</summary>
    public void Leave(EndPoint? endPoint)
    {
        lock (_gate)
        {
            PeerAt(endPoint).Connections--;
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

    private Peer PeerAt(EndPoint? endPoint)
    {
        IPAddress address = PeerNetwork.Of((endPoint as IPEndPoint)?.Address);
        if (_peers.TryGetValue(address, out Peer? peer))
            return peer;
        if (_peers.Count >= PeersBeforePruning)
        {
            foreach ((IPAddress old, Peer idle) in _peers)
            {
                if (idle.Connections == 0 && timeProvider.GetElapsedTime(idle.WindowStart) >= Window)
                    _peers.Remove(old);
            }
        }
        return _peers[address] = new Peer { WindowStart = timeProvider.GetTimestamp() };
    }

    private sealed class Peer
    {
        public int Connections { get; set; }

        public int NewInWindow { get; set; }

        public long WindowStart { get; set; }
    }
}
