namespace EdgeSplit.Partitioning.Internal;

/// <summary>Maximum flow by blocking flows (Dinic, Soviet Math. Doklady 1970), with the minimum cut that proves it. Not thread-safe.</summary>
internal sealed class MaximumFlow
{
    private const double RelativeZero = 1e-13;
    private readonly List<int> _targets = [];
    private readonly List<double> _capacities = [];
    private readonly List<int> _next = [];
    private readonly List<int> _first = [];
    private readonly Queue<int> _queue = new();
    private readonly List<int> _path = [];
    private int[] _levels = [];
    private int[] _current = [];
    private double _zero;

    public int NodeCount => _first.Count;

    public int AddNode()
    {
        _first.Add(-1);
        return _first.Count - 1;
    }

    /// <summary>Adds an arc; <see cref="double.PositiveInfinity"/> for one that no cut may take.</summary>
    public void AddArc(int from, int to, double capacity, double reverseCapacity = 0)
    {
        Append(from, to, capacity);
        Append(to, from, reverseCapacity);
    }

    /// <summary>The largest flow; the capacities become those of the residual graph.</summary>
    public double Run(int source, int sink)
    {
        _levels = new int[NodeCount];
        _current = new int[NodeCount];
        double scale = 0;
        foreach (double capacity in _capacities)
            scale = double.IsFinite(capacity) ? Math.Max(scale, capacity) : scale;
        _zero = scale * RelativeZero;
        double flow = 0;
        while (FindLevels(source, sink))
        {
            for (int node = 0; node < NodeCount; node++)
                _current[node] = _first[node];
            for (double pushed = Augment(source, sink); pushed > 0; pushed = Augment(source, sink))
                flow += pushed;
        }
        return flow;
    }

    /// <summary>Whether a node is on the source's side of the minimum cut that <see cref="Run"/> found.</summary>
    public bool IsOnSourceSide(int node) => _levels[node] >= 0;

    private void Append(int from, int to, double capacity)
    {
        _targets.Add(to);
        _capacities.Add(capacity);
        _next.Add(_first[from]);
        _first[from] = _targets.Count - 1;
    }

    private bool FindLevels(int source, int sink)
    {
        Array.Fill(_levels, -1);
        _levels[source] = 0;
        _queue.Enqueue(source);
        while (_queue.TryDequeue(out int node))
        {
            for (int arc = _first[node]; arc >= 0; arc = _next[arc])
            {
                if (_capacities[arc] <= _zero || _levels[_targets[arc]] >= 0)
                    continue;
                _levels[_targets[arc]] = _levels[node] + 1;
                _queue.Enqueue(_targets[arc]);
            }
        }
        return _levels[sink] >= 0;
    }

    /// <summary>Pushes flow along one path of the level graph, without recursion: graphs have tens of thousands of nodes.</summary>
    private double Augment(int source, int sink)
    {
        _path.Clear();
        int node = source;
        while (node != sink)
        {
            int arc = _current[node];
            while (arc >= 0 && (_capacities[arc] <= _zero || _levels[_targets[arc]] != _levels[node] + 1))
                arc = _next[arc];
            _current[node] = arc;
            if (arc >= 0)
            {
                _path.Add(arc);
                node = _targets[arc];
                continue;
            }
            if (_path.Count == 0)
                return 0;
            int back = _path[^1];
            _path.RemoveAt(_path.Count - 1);
            node = _targets[back ^ 1];
            _current[node] = _next[_current[node]];
        }
        double pushed = double.PositiveInfinity;
        foreach (int arc in _path)
            pushed = Math.Min(pushed, _capacities[arc]);
        if (double.IsInfinity(pushed))
            throw new InvalidOperationException("The flow network has a path of infinite capacity, so it has no minimum cut.");
        foreach (int arc in _path)
        {
            _capacities[arc] -= pushed;
            _capacities[arc ^ 1] += pushed;
        }
        return pushed;
    }
}
