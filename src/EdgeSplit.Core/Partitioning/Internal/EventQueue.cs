namespace EdgeSplit.Partitioning.Internal;

/// <summary>Events by time, those of one time in the order in which they were added. A binary heap without allocation per event.</summary>
internal sealed class EventQueue
{
    private Entry[] _heap = new Entry[64];
    private int _count;
    private long _added;

    public bool IsEmpty => _count == 0;

    public double NextTime => _heap[0].Time;

    public void Clear() => (_count, _added) = (0, 0);

    public void Add(double time, int id)
    {
        if (_count == _heap.Length)
            Array.Resize(ref _heap, 2 * _count);
        var entry = new Entry(time, _added++, id);
        int at = _count++;
        while (at > 0 && entry.IsBefore(_heap[(at - 1) / 2]))
        {
            _heap[at] = _heap[(at - 1) / 2];
            at = (at - 1) / 2;
        }
        _heap[at] = entry;
    }

    public int Take()
    {
        int id = _heap[0].Id;
        Entry last = _heap[--_count];
        int at = 0;
        while (true)
        {
            int child = (2 * at) + 1;
            if (child >= _count)
                break;
            if (child + 1 < _count && _heap[child + 1].IsBefore(_heap[child]))
                child++;
            if (!_heap[child].IsBefore(last))
                break;
            _heap[at] = _heap[child];
            at = child;
        }
        _heap[at] = last;
        return id;
    }

    private readonly record struct Entry(double Time, long Number, int Id)
    {
        public bool IsBefore(in Entry other) => Time < other.Time || (Time == other.Time && Number < other.Number);
    }
}
