namespace EdgeSplit.Partitioning.Internal;

/// <summary>
/// Groups the layers of an assignment into stages, as few per device as a runnable order allows. Keeps its buffers between
/// calls; not thread-safe.
/// </summary>
/// <remarks>
/// Atoms are taken in topological order, and each joins the earliest stage of its device that no path through another
/// stage leads back to. The stages of one device thus form a chain in which each reaches the next: which of them reach
/// some stage is told by one number per device, and the test for a cycle is a comparison per input. No two stages of a
/// device can be merged, as a path through another device joins them.
/// </remarks>
internal sealed class StageGrouping(CompiledGraph graph)
{
    private const int None = -1;
    private readonly PriorityQueue<int, int> _open = new();
    private readonly Stack<int> _changed = new();
    private readonly List<int> _usedDevices = [];
    private readonly List<List<int>> _chains = [];
    private readonly int[] _order = new int[graph.LayerCount];
    private readonly int[] _rank = new int[graph.LayerCount];
    private readonly int[] _devices = new int[graph.LayerCount];
    private readonly int[] _chainPosition = new int[graph.LayerCount];
    private readonly int[] _firstLayer = new int[graph.LayerCount];
    private readonly int[] _firstEdge = new int[graph.LayerCount];
    private readonly int[] _incoming = new int[graph.LayerCount];
    private int[] _columnOfDevice = [];
    private int[] _reachedFrom = [];
    private int[] _edgeTargets = new int[16];
    private int[] _nextEdges = new int[16];
    private int _edgeCount;

    /// <summary>The number of stages.</summary>
    public int Count { get; private set; }

    /// <summary>The stage of each layer; stages are numbered as their first layers come.</summary>
    public int[] GroupOf { get; } = new int[graph.LayerCount];

    /// <summary>The stages in an order in which they can run.</summary>
    public ReadOnlySpan<int> Order => _order.AsSpan(0, Count);

    /// <summary>The position of a stage in <see cref="Order"/>.</summary>
    public int RankOf(int group) => _rank[group];

    public int DeviceOf(int group) => _devices[group];

    /// <param name="assignment">The device of each layer; the layers of an atom have the same.</param>
    public void Build(ReadOnlySpan<int> assignment)
    {
        Clear(assignment);
        foreach (int[] atom in graph.Atoms.Layers)
        {
            int column = _columnOfDevice[assignment[atom[0]]];
            int group = Choose(atom, column, assignment[atom[0]]);
            foreach (int layer in atom)
                GroupOf[layer] = group;
            foreach (int layer in atom)
            {
                foreach (int input in graph.Inputs(layer))
                {
                    int producer = graph.Producers[input];
                    if (producer >= 0 && GroupOf[producer] != group)
                        Connect(GroupOf[producer], group);
                }
            }
        }
        Sort();
    }

    private void Clear(ReadOnlySpan<int> assignment)
    {
        int largest = None;
        foreach (int device in assignment)
            largest = Math.Max(largest, device);
        foreach (int device in _usedDevices)
            _columnOfDevice[device] = None;
        if (_columnOfDevice.Length <= largest)
        {
            _columnOfDevice = new int[largest + 1];
            Array.Fill(_columnOfDevice, None);
        }
        _usedDevices.Clear();
        foreach (int device in assignment)
        {
            if (_columnOfDevice[device] != None)
                continue;
            _columnOfDevice[device] = _usedDevices.Count;
            _usedDevices.Add(device);
            if (_chains.Count < _usedDevices.Count)
                _chains.Add([]);
            _chains[_usedDevices.Count - 1].Clear();
        }
        Count = 0;
        _edgeCount = 0;
    }

    private int Choose(int[] atom, int column, int device)
    {
        int earliest = 0;
        foreach (int layer in atom)
        {
            foreach (int input in graph.Inputs(layer))
            {
                int producer = graph.Producers[input];
                if (producer < 0 || graph.Atoms.AtomOf[producer] == graph.Atoms.AtomOf[layer])
                    continue;
                int before = GroupOf[producer];
                int needed = _devices[before] == device ? _chainPosition[before] : ReachedFrom(before)[column] + 1;
                earliest = Math.Max(earliest, needed);
            }
        }
        List<int> chain = _chains[column];
        if (earliest < chain.Count)
            return chain[earliest];

        int group = Count++;
        _devices[group] = device;
        _chainPosition[group] = chain.Count;
        _firstLayer[group] = atom[0];
        _firstEdge[group] = None;
        _incoming[group] = 0;
        if (_reachedFrom.Length < Count * _usedDevices.Count)
            Array.Resize(ref _reachedFrom, Math.Max(Count * _usedDevices.Count, 2 * _reachedFrom.Length));
        ReachedFrom(group).Fill(None);
        ReachedFrom(group)[column] = chain.Count;
        chain.Add(group);
        return group;
    }

    /// <summary>For each used device, the position in its chain of the last stage that reaches a stage.</summary>
    private Span<int> ReachedFrom(int group) => _reachedFrom.AsSpan(group * _usedDevices.Count, _usedDevices.Count);

    private void Connect(int from, int to)
    {
        if (_firstEdge[from] != None && _edgeTargets[_firstEdge[from]] == to)
            return;
        if (_edgeCount == _edgeTargets.Length)
        {
            Array.Resize(ref _edgeTargets, 2 * _edgeCount);
            Array.Resize(ref _nextEdges, 2 * _edgeCount);
        }
        _edgeTargets[_edgeCount] = to;
        _nextEdges[_edgeCount] = _firstEdge[from];
        _firstEdge[from] = _edgeCount++;
        _incoming[to]++;
        if (!Raise(from, to))
            return;
        _changed.Push(to);
        while (_changed.TryPop(out int group))
        {
            for (int edge = _firstEdge[group]; edge != None; edge = _nextEdges[edge])
            {
                if (Raise(group, _edgeTargets[edge]))
                    _changed.Push(_edgeTargets[edge]);
            }
        }
    }

    private bool Raise(int from, int to)
    {
        Span<int> target = ReachedFrom(to);
        ReadOnlySpan<int> source = ReachedFrom(from);
        bool raised = false;
        for (int column = 0; column < source.Length; column++)
        {
            if (source[column] > target[column])
            {
                target[column] = source[column];
                raised = true;
            }
        }
        return raised;
    }

    private void Sort()
    {
        for (int group = 0; group < Count; group++)
        {
            if (_incoming[group] == 0)
                _open.Enqueue(group, _firstLayer[group]);
        }
        int done = 0;
        while (_open.TryDequeue(out int group, out _))
        {
            _rank[group] = done;
            _order[done++] = group;
            for (int edge = _firstEdge[group]; edge != None; edge = _nextEdges[edge])
            {
                int to = _edgeTargets[edge];
                if (--_incoming[to] == 0)
                    _open.Enqueue(to, _firstLayer[to]);
            }
        }
    }
}
