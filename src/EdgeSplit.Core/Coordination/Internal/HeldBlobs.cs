using System.Collections.Immutable;
using EdgeSplit.Storage;

namespace EdgeSplit.Coordination.Internal;

/// <summary>The weights that an agent holds as far as the coordinator has learnt from loads; it may hold more, or have evicted some since. Thread-safe.</summary>
internal sealed class HeldBlobs
{
    private readonly Lock _lock = new();
    private readonly HashSet<ContentHash> _held = [];

    /// <summary>The bytes of some weights that the agent is not known to hold.</summary>
    public long MissingBytes(ImmutableArray<BlobReference> blobs)
    {
        lock (_lock)
            return Missing(blobs);
    }

    /// <summary>Takes in that an agent holds some weights now. One that had to fetch what it was thought to hold may have evicted more.</summary>
    /// <param name="blobs">The weights.</param>
    /// <param name="receivedBytes">What it has fetched of them.</param>
    public void Add(ImmutableArray<BlobReference> blobs, long receivedBytes)
    {
        lock (_lock)
        {
            if (receivedBytes > Missing(blobs))
                _held.Clear();
            foreach (BlobReference blob in blobs)
                _held.Add(blob.Hash);
        }
    }

    private long Missing(ImmutableArray<BlobReference> blobs) => blobs.Sum(blob => _held.Contains(blob.Hash) ? 0 : blob.ByteCount);
}
