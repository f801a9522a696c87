using System.Net;

namespace EdgeSplit.Agents.Internal;

/// <summary>One peer's part of a <see cref="PeerMemory"/>, shared by all its connections.</summary>
internal sealed class PeerShare(PeerMemory memory, IPAddress peer)
{
    /// <summary>The most bytes that the peer may hold.</summary>
    public long Limit => memory.Limit;

    /// <summary>Takes bytes, before any memory is; false if the peer would hold more than it may.</summary>
    public bool TryTake(long byteCount) => memory.TryTake(peer, byteCount);

    /// <summary>Gives bytes back.</summary>
    public void Release(long byteCount) => memory.Release(peer, byteCount);
}
