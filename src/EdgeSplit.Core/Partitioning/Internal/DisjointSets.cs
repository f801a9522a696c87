namespace EdgeSplit.Partitioning.Internal;

/// <summary>Union-find with path halving; the smallest member names a set.</summary>
internal sealed class DisjointSets(int count)
{
    private readonly int[] _parents = [.. Enumerable.Range(0, count)];

    public int Find(int item)
    {
        while (_parents[item] != item)
            item = _parents[item] = _parents[_parents[item]];
        return item;
    }

    /// <summary>Joins two sets; false where they were one already.</summary>
    public bool Join(int first, int second)
    {
        (first, second) = (Find(first), Find(second));
        if (first == second)
            return false;
        _parents[Math.Max(first, second)] = Math.Min(first, second);
        return true;
    }
}
