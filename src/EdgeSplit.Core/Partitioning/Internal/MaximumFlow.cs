namespace EdgeSplit.Partitioning.Internal;

/// <summary>
/// Maximum flow by blocking flows (Dinic, Soviet Math. Doklady 1970), with the minimum cut that proves it. Capacities may be changed between
/// runs. Not thread-safe.
/// </summary>
internal sealed class MaximumFlow
{
    private const double RelativeZero = 1e-13;
    private readonly List<int> _targets = [];
    private readonly List<double> _capacities = [];
    private readonly List<int> _next = [];
    private readonly List<int> _first = [];
    private int[] _target = [];
    private int[] _following = [];
    private double[] _residual = [];
    private int[] _levels = [];
    private int[] _current = [];
    private int[] _queue = [];
    private int[] _path = [];
    private double _zero;

    public int NodeCount => _first.Count;

    /// <summary>Arcs looked at in all runs so far.</summary>
    public long Steps { get; private set; }

    public int AddNode()
    {
        _first.Add(-1);
        return _first.Count - 1;
    }

    /// <summary>Adds an arc; <see cref="double.PositiveInfinity"/> for one that no cut may take.</summary>
    /// <returns>The arc, for <see cref="SetCapacity"/>.</returns>
    public int AddArc(int from, int to, double capacity, double reverseCapacity = 0)
    {
        Append(from, to, capacity);
        Append(to, from, reverseCapacity);
        return _targets.Count - 2;
    }

    /// <summary>Changes an arc's capacity for the next run.</summary>
    public void SetCapacity(int arc, double capacity) => _capacities[arc] = capacity;

    /// <summary>The largest flow.</summary>
    public double Run(int source, int sink)
    {
        Prepare();
        double flow = 0;
        while (FindLevels(source, sink))
        {
            _first.CopyTo(_current);
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

    private void Prepare()
    {
        if (_target.Length != _targets.Count || _levels.Length != NodeCount)
        {
            (_target, _following, _residual) = ([.. _targets], [.. _next], new double[_targets.Count]);
            (_levels, _current, _queue, _path) = (new int[NodeCount], new int[NodeCount], new int[NodeCount], new int[NodeCount]);
        }
        _capacities.CopyTo(_residual);
        Steps += _residual.Length / 4;
        double scale = 0;
        foreach (double capacity in _residual)
            scale = double.IsFinite(capacity) ? Math.Max(scale, capacity) : scale;
        _zero = scale * RelativeZero;
    }

    private bool FindLevels(int source, int sink)
    {
        Array.Fill(_levels, -1);
        _levels[source] = 0;
        int read = 0, written = 0;
        long steps = 0;
        _queue[written++] = source;
        while (read < written)
        {
            int node = _queue[read++];
            for (int arc = _first[node]; arc >= 0; arc = _following[arc])
            {
                steps++;
                if (_residual[arc] <= _zero || _levels[_target[arc]] >= 0)
                    continue;
                _levels[_target[arc]] = _levels[node] + 1;
                _queue[written++] = _target[arc];
            }
        }
        Steps += steps + (_levels.Length / 4);
        return _levels[sink] >= 0;
    }

    /// <summary>Pushes flow along one path of the level graph, without recursion: graphs have tens of thousands of nodes.</summary>
    private double Augment(int source, int sink)
    {
        int length = 0;
        int node = source;
        while (node != sink)
        {
            int arc = _current[node];
            while (arc >= 0 && (_residual[arc] <= _zero || _levels[_target[arc]] != _levels[node] + 1))
            {
                arc = _following[arc];
                Steps++;
            }
            Steps++;
            _current[node] = arc;
            if (arc >= 0)
            {
                _path[length++] = arc;
                node = _target[arc];
                continue;
            }
            if (length == 0)
                return 0;
            node = _target[_path[--length] ^ 1];
            _current[node] = _following[_current[node]];
        }
        double pushed = double.PositiveInfinity;
        for (int step = 0; step < length; step++)
            pushed = Math.Min(pushed, _residual[_path[step]]);
        if (double.IsInfinity(pushed))
            throw new InvalidOperationException("The flow network has a path of infinite capacity, so it has no minimum cut.");
        for (int step = 0; step < length; step++)
        {
            _residual[_path[step]] -= pushed;
            _residual[_path[step] ^ 1] += pushed;
        }
        return pushed;
    }
}
