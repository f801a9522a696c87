namespace EdgeSplit.Partitioning.Internal;

/// <summary>Transfers by number, with a list in order of request of those that have not started.</summary>
internal sealed class TransferQueue
{
    private readonly List<(int Value, int From, int To)> _transfers = [];
    private readonly List<int> _after = [];
    private readonly List<int> _before = [];
    private int _last = -1;

    /// <summary>The transfer that has waited longest, or -1.</summary>
    public int First { get; private set; } = -1;

    /// <summary>Whether anything has changed that could let a waiting transfer start.</summary>
    public bool MayStart { get; set; }

    public (int Value, int From, int To) this[int transfer] => _transfers[transfer];

    public void Clear()
    {
        _transfers.Clear();
        _after.Clear();
        _before.Clear();
        First = _last = -1;
        MayStart = false;
    }

    public void Add(int value, int from, int to)
    {
        int transfer = _transfers.Count;
        _transfers.Add((value, from, to));
        _after.Add(-1);
        _before.Add(_last);
        if (_last >= 0)
            _after[_last] = transfer;
        else
            First = transfer;
        _last = transfer;
        MayStart = true;
    }

    /// <summary>The next transfer that waits, or -1.</summary>
    public int After(int transfer) => _after[transfer];

    public void Remove(int transfer)
    {
        (int before, int after) = (_before[transfer], _after[transfer]);
        if (before >= 0)
            _after[before] = after;
        else
            First = after;
        if (after >= 0)
            _before[after] = before;
        else
            _last = before;
    }
}
