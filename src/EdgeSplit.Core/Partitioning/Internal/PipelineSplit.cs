namespace EdgeSplit.Partitioning.Internal;

/// <summary>
/// Contiguous splits with heterogeneous devices whose order is chosen, by dynamic programming over the layers placed and the
/// devices of each kind used.
/// </summary>
/// <remarks>
/// The state is that of PipeEdge (Hu et al., "PipeEdge: Pipeline Parallelism for Large-Scale Model Inference on
/// Heterogeneous Edge Devices", DSD 2022, section IV), with equal devices counted rather than told apart. On a chain with
/// equal links the split with the least bottleneck is exact; elsewhere values that skip a part are priced as if they
/// came from the part before.
/// </remarks>
internal sealed class PipelineSplit
{
    private const double MostStates = 512;
    private const int MostKinds = 8;
    private const int FewestBoundaries = 60;
    private readonly PlacementModel _model;
    private readonly ContiguousSegments _segments;
    private readonly int[][] _kinds;
    private readonly int[] _strides;
    private readonly int _states;
    private readonly int _mostDevices;
    private readonly double _hopSeconds;

    /// <param name="model">The model.</param>
    /// <param name="segments">The costs of segments.</param>
    /// <param name="kinds">The devices to use, by kind, in the order of preference.</param>
    /// <param name="mostWork">The steps that a solution may take; the last devices are left out until it does not take more.</param>
    public PipelineSplit(PlacementModel model, ContiguousSegments segments, int[][] kinds, long mostWork)
    {
        _model = model;
        _segments = segments;
        _mostDevices = Math.Min(model.Problem.Constraints.MaximumDevices ?? int.MaxValue, segments.Boundaries.Length - 1);
        _hopSeconds = model.LinkLatencySeconds[segments.LinkKind];
        _kinds = Limit(kinds, mostWork);
        _strides = new int[_kinds.Length];
        _states = 1;
        for (int kind = 0; kind < _kinds.Length; kind++)
        {
            _strides[kind] = _states;
            _states *= _kinds[kind].Length + 1;
        }
    }

    /// <summary>
    /// How many boundaries leave room for some devices of every kind: rather a coarser split over more devices than the other way round.
    /// </summary>
    public static int AffordableBoundaries(int[][] kinds, long mostSteps, int most)
    {
        double states = 1;
        foreach (int[] members in kinds)
            states = Math.Min(MostStates, states * (members.Length + 1));
        return (int)Math.Clamp(Math.Sqrt(2 * mostSteps / (states * Math.Min(kinds.Length, MostKinds))), FewestBoundaries, most);
    }

    /// <summary>Steps that one call of <see cref="Solve"/> takes at most.</summary>
    public long Work => Steps(_states, _kinds.Length);

    /// <summary>The split with the least sum of segment times of those whose largest is at most <paramref name="most"/>, or with the least largest.</summary>
    /// <param name="minimiseSum">Whether the sum (latency) or the largest (bottleneck) is minimised; the other breaks ties.</param>
    /// <param name="most">The largest segment time allowed.</param>
    /// <returns>The assignment, or null where there is none.</returns>
    public int[]? Solve(bool minimiseSum, double most = double.PositiveInfinity)
    {
        int rows = _segments.Boundaries.Length;
        var cells = new Cell[_states * rows];
        Array.Fill(cells, Cell.Impossible);
        cells[0] = default;
        for (int from = 0; from + 1 < rows; from++)
        {
            for (int kind = 0; kind < _kinds.Length; kind++)
                Extend(cells, from, kind, minimiseSum, most);
        }
        int best = -1;
        for (int state = 0; state < _states; state++)
        {
            int at = (state * rows) + rows - 1;
            if (!double.IsInfinity(cells[at].Largest) && (best < 0 || cells[at].IsBetterThan(cells[best], minimiseSum)))
                best = at;
        }
        return best < 0 ? null : Trace(cells, best);
    }

    private void Extend(Cell[] cells, int from, int kind, bool minimiseSum, double most)
    {
        int rows = _segments.Boundaries.Length;
        int device = _kinds[kind][0];
        bool mayReturn = MayReturn(kind, minimiseSum);
        for (int to = from + 1; to < rows; to++)
        {
            if (!_segments.IsAllowed(from, to, device))
                break;
            if (_segments.ComputeLoad(from, to, device) > most)
                break;
            double load = _segments.Load(from, to, device);
            if (load > most)
                continue;
            double seconds = _segments.Compute(from, to, device) + TransferSeconds(from, to, device);
            for (int state = 0; state < _states; state++)
            {
                ref readonly Cell before = ref cells[(state * rows) + from];
                bool isNew = !mayReturn || Used(state, kind) == 0;
                if (double.IsInfinity(before.Largest) || (isNew && (Used(state, kind) == _kinds[kind].Length || before.Devices == _mostDevices)))
                    continue;
                int next = isNew ? state + _strides[kind] : state;
                var cell = new Cell(Math.Max(before.Largest, load), before.Sum + seconds, (short)(before.Devices + (isNew ? 1 : 0)), (short)kind, from, state);
                ref Cell after = ref cells[(next * rows) + to];
                if (cell.IsBetterThan(after, minimiseSum))
                    after = cell;
            }
        }
    }

    /// <summary>
    /// Whether a device may have several segments: where only the sum counts, and its memory, whose use the state does not tell, has no end.
    /// </summary>
    private bool MayReturn(int kind, bool minimiseSum) =>
        minimiseSum && _kinds[kind].Length == 1 && _model.Devices[_kinds[kind][0]].MemoryBytes == long.MaxValue;

    /// <summary>What a segment adds to the latency beside its computing: by way of a relay both its sending and its receiving.</summary>
    private double TransferSeconds(int from, int to, int device)
    {
        double seconds = from > 0 ? _hopSeconds : 0;
        if (_model.Relay < 0)
            return seconds + _segments.Received(from, to);
        return _model.Relay == device ? 0 : seconds + _hopSeconds + _segments.Received(from, to) + _segments.Sent(from, to);
    }

    private int Used(int state, int kind) => state / _strides[kind] % (_kinds[kind].Length + 1);

    private int[] Trace(Cell[] cells, int at)
    {
        int rows = _segments.Boundaries.Length;
        var assignment = new int[_model.LayerCount];
        while (at % rows > 0)
        {
            Cell cell = cells[at];
            _segments.Assign(assignment, cell.From, at % rows, _kinds[cell.Kind][Used(at / rows, cell.Kind) - 1]);
            at = (cell.State * rows) + cell.From;
        }
        return assignment;
    }

    private long Steps(long states, int kinds) => states * kinds * _segments.Boundaries.Length * _segments.Boundaries.Length / 2;

    private int[][] Limit(int[][] kinds, long mostWork)
    {
        var counts = new int[kinds.Length];
        long states = 1;
        int used = 0;
        for (bool grew = true; grew;)
        {
            grew = false;
            for (int kind = 0; kind < kinds.Length; kind++)
            {
                long more = states / (counts[kind] + 1) * (counts[kind] + 2);
                bool isNew = counts[kind] == 0;
                if (counts[kind] == Math.Min(kinds[kind].Length, _mostDevices) || (used > 0 && Steps(more, isNew ? used + 1 : used) > mostWork))
                    continue;
                used += isNew ? 1 : 0;
                counts[kind]++;
                states = more;
                grew = true;
            }
        }
        return [.. kinds.Select((members, kind) => members[..counts[kind]]).Where(static members => members.Length > 0)];
    }

    /// <param name="Largest">The largest load of a segment.</param>
    /// <param name="Sum">The sum of the segments' times.</param>
    /// <param name="Devices">The number of devices in use.</param>
    /// <param name="Kind">The kind of the last segment's device.</param>
    /// <param name="From">Where the last segment begins.</param>
    /// <param name="State">The devices in use before the last segment.</param>
    private readonly record struct Cell(double Largest, double Sum, short Devices, short Kind, int From, int State)
    {
        public static Cell Impossible { get; } = new(double.PositiveInfinity, double.PositiveInfinity, 0, 0, 0, 0);

        public bool IsBetterThan(in Cell other, bool minimiseSum) => minimiseSum
            ? Sum < other.Sum || (Sum == other.Sum && Largest < other.Largest)
            : Largest < other.Largest || (Largest == other.Largest && Sum < other.Sum);
    }
}
