namespace EdgeSplit.Partitioning.Internal;

/// <summary>
/// What each run of consecutive blocks of layers costs: the table that dynamic programs over contiguous splits read. Immutable.
/// </summary>
internal sealed class ContiguousSegments
{
    private readonly PlacementModel _model;
    private readonly PlacementUnits _units;
    private readonly double[] _computed;
    private readonly int[] _forbidden;
    private readonly double[] _received;
    private readonly double[] _sent;
    private readonly long[] _weights;

    /// <param name="model">The model.</param>
    /// <param name="units">Its units.</param>
    /// <param name="blocks">The layers in an order in which they can run, in blocks that are not cut.</param>
    /// <param name="mostBoundaries">Where there are more possible boundaries, those with the smallest cuts of their neighbourhood are taken.</param>
    public ContiguousSegments(PlacementModel model, PlacementUnits units, int[][] blocks, int mostBoundaries)
    {
        _model = model;
        _units = units;
        Order = [.. blocks.SelectMany(static layers => layers)];
        LinkKind = MostCommonLink(model);
        double[] cuts = CutSeconds();
        Boundaries = Thin(BoundariesOf(blocks), cuts, mostBoundaries);
        CutAt = [.. Boundaries.Select(boundary => cuts[boundary])];
        int rows = Boundaries.Length;
        _computed = new double[rows * model.DeviceCount];
        _forbidden = new int[rows * model.DeviceCount];
        _received = new double[rows * rows];
        _sent = new double[rows * rows];
        _weights = new long[rows * rows];
        AddUpCompute();
        var scan = new SegmentScan(model, Order, LinkKind);
        for (int from = 0; from + 1 < rows; from++)
        {
            scan.Start(Boundaries[from]);
            for (int to = from + 1; to < rows; to++)
            {
                scan.ExtendTo(Boundaries[to]);
                int at = (from * rows) + to;
                (_received[at], _sent[at], _weights[at]) = (scan.ReceivedSeconds, scan.SentSeconds, scan.WeightBytes);
            }
        }
    }

    /// <summary>The layers in the order that is split.</summary>
    public int[] Order { get; }

    /// <summary>The positions in <see cref="Order"/> at which segments may begin and end, the first 0 and the last the number of layers.</summary>
    public int[] Boundaries { get; }

    /// <summary>Seconds to send everything that crosses each boundary.</summary>
    public double[] CutAt { get; }

    /// <summary>The kind of link that the table's transfers are counted with: the most common one.</summary>
    public int LinkKind { get; }

    /// <summary>Layers walked to make the table.</summary>
    public long Work => (long)Order.Length * Boundaries.Length;

    /// <summary>Seconds of computing of a segment.</summary>
    public double Compute(int from, int to, int device) =>
        _computed[(to * _model.DeviceCount) + device] - _computed[(from * _model.DeviceCount) + device];

    /// <summary>Seconds that a segment's computing keeps a device busy, concurrent stages counted as parallel.</summary>
    public double ComputeLoad(int from, int to, int device) => Compute(from, to, device) / _model.Slots[device];

    /// <summary>Seconds that a segment keeps a device or its interface busy, what it sends counted once.</summary>
    public double Load(int from, int to, int device)
    {
        double received = _model.Shared[device] ? Received(from, to) : 0;
        double sent = _model.Shared[device] ? Sent(from, to) : 0;
        return _model.Overlap
            ? Math.Max(ComputeLoad(from, to, device), Math.Max(received, sent))
            : (Compute(from, to, device) + received + sent) / _model.Slots[device];
    }

    /// <summary>Seconds to receive all that a segment needs from other layers.</summary>
    public double Received(int from, int to) => _received[(from * Boundaries.Length) + to];

    /// <summary>Seconds to send, once, all that other layers need of a segment.</summary>
    public double Sent(int from, int to) => _sent[(from * Boundaries.Length) + to];

    /// <summary>Whether a device may run every layer of a segment and has the memory for its weights.</summary>
    public bool IsAllowed(int from, int to, int device) =>
        _forbidden[(to * _model.DeviceCount) + device] == _forbidden[(from * _model.DeviceCount) + device]
        && _weights[(from * Boundaries.Length) + to] <= _model.Devices[device].MemoryBytes;

    /// <summary>Assigns the layers of a segment to a device.</summary>
    public void Assign(int[] assignment, int from, int to, int device)
    {
        for (int position = Boundaries[from]; position < Boundaries[to]; position++)
            assignment[Order[position]] = device;
    }

    private static int MostCommonLink(PlacementModel model)
    {
        var counts = new int[model.LinkKindCount];
        for (int from = 0; from < model.DeviceCount; from++)
        {
            for (int to = 0; to < model.DeviceCount; to++)
                counts[model.LinkKind(from, to)] += from == to ? 0 : 1;
        }
        return Array.IndexOf(counts, counts.Max());
    }

    private static List<int> BoundariesOf(int[][] blocks)
    {
        var boundaries = new List<int> { 0 };
        foreach (int[] block in blocks)
            boundaries.Add(boundaries[^1] + block.Length);
        return boundaries;
    }

    /// <summary>Seconds to send what crosses each position.</summary>
    private double[] CutSeconds()
    {
        var positions = new int[Order.Length];
        for (int position = 0; position < Order.Length; position++)
            positions[Order[position]] = position;
        var changes = new double[Order.Length + 1];
        for (int value = 0; value < _model.Graph.ValueCount; value++)
        {
            int producer = _model.Graph.Producers[value];
            int last = -1;
            foreach (int consumer in _model.Graph.Consumers(value))
                last = Math.Max(last, positions[consumer]);
            if (producer < 0 || last <= positions[producer])
                continue;
            double seconds = _model.TransferSecondsByKind(value, LinkKind);
            changes[positions[producer] + 1] += seconds;
            changes[last + 1] -= seconds;
        }
        for (int position = 1; position < changes.Length; position++)
            changes[position] += changes[position - 1];
        return changes;
    }

    private static int[] Thin(List<int> boundaries, double[] cuts, int most)
    {
        if (boundaries.Count <= most)
            return [.. boundaries];
        var kept = new SortedSet<int> { boundaries[0], boundaries[^1] };
        int inner = boundaries.Count - 2;
        for (int block = 0; block < most - 2; block++)
        {
            int start = 1 + (int)((long)inner * block / (most - 2));
            int end = 1 + (int)((long)inner * (block + 1) / (most - 2));
            int best = boundaries[start];
            for (int i = start; i < end; i++)
                best = cuts[boundaries[i]] < cuts[best] ? boundaries[i] : best;
            kept.Add(best);
        }
        return [.. kept];
    }

    private void AddUpCompute()
    {
        int devices = _model.DeviceCount;
        for (int row = 1; row < Boundaries.Length; row++)
        {
            for (int device = 0; device < devices; device++)
            {
                double seconds = _computed[((row - 1) * devices) + device];
                int forbidden = _forbidden[((row - 1) * devices) + device];
                for (int position = Boundaries[row - 1]; position < Boundaries[row]; position++)
                {
                    int layer = Order[position];
                    if (_units.IsAllowed(_units.UnitOf[layer], device))
                        seconds += _model.SecondsOf(layer, device);
                    else
                        forbidden++;
                }
                _computed[(row * devices) + device] = seconds;
                _forbidden[(row * devices) + device] = forbidden;
            }
        }
    }
}
