namespace EdgeSplit.Transport.Serving;

/// <summary>What was loaded through one connection, and how often.</summary>
internal sealed class LoadCounts
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _counts = [];

    public void Add(string partitionId)
    {
        lock (_gate)
            _counts[partitionId] = _counts.GetValueOrDefault(partitionId) + 1;
    }

    /// <summary>Takes one load out; false if there is none.</summary>
    public bool TryRemove(string partitionId)
    {
        lock (_gate)
        {
            if (!_counts.TryGetValue(partitionId, out int count))
                return false;
            if (count == 1)
                _counts.Remove(partitionId);
            else
                _counts[partitionId] = count - 1;
            return true;
        }
    }

    /// <summary>Takes all loads out, each as often as it was added.</summary>
    public List<string> TakeAll()
    {
        lock (_gate)
        {
            List<string> all = [.. _counts.SelectMany(static load => Enumerable.Repeat(load.Key, load.Value))];
            _counts.Clear();
            return all;
        }
    }
}
