namespace EdgeSplit.Partitioning.Internal;

/// <summary>
/// How busy an assignment keeps each device and its interface, what it sends, and the weights it holds; follows moves of
/// layers at the cost of the values they touch. Layers may be unassigned (-1): they and their values then cost nothing yet.
/// Not thread-safe.
/// </summary>
internal sealed class PlacementLoads
{
    public const int Unassigned = -1;
    private readonly PlacementModel _model;
    private readonly CompiledGraph _graph;
    private readonly int[] _seenBy;
    private readonly int[] _weightReaders;
    private IReadOnlyList<int[]>? _mixed;
    private int _look;

    public PlacementLoads(PlacementModel model)
    {
        _model = model;
        _graph = model.Graph;
        Assignment = new int[model.LayerCount];
        Compute = new double[model.DeviceCount];
        Up = new double[model.DeviceCount];
        Down = new double[model.DeviceCount];
        WeightBytes = new long[model.DeviceCount];
        TouchedBytes = new long[model.DeviceCount];
        LayersOn = new int[model.DeviceCount];
        _seenBy = new int[model.DeviceCount];
        _weightReaders = new int[model.Problem.Graph.Weights.Length * model.DeviceCount];
        Array.Fill(Assignment, Unassigned);
    }

    /// <summary>The device of each layer; changed only by <see cref="Move"/> and <see cref="Reset"/>.</summary>
    public int[] Assignment { get; }

    /// <summary>The assignments of all routes: <see cref="Assignment"/> alone unless these are the loads of <see cref="Mix"/>.</summary>
    public IReadOnlyList<int[]> Assignments => _mixed ?? [Assignment];

    /// <summary>Seconds of computing by device.</summary>
    public double[] Compute { get; }

    /// <summary>Seconds of sending by device.</summary>
    public double[] Up { get; }

    /// <summary>Seconds of receiving by device.</summary>
    public double[] Down { get; }

    /// <summary>Bytes of the weights that layers on a device read, each once, with those that the current plan keeps there.</summary>
    public long[] WeightBytes { get; }

    /// <summary>Bytes of the values that layers on a device read or make, each once: no peak of activations is above.</summary>
    public long[] TouchedBytes { get; }

    public int[] LayersOn { get; }

    public long TransferredBytes { get; private set; }

    public double TransferJoules { get; private set; }

    /// <summary>Work done by all moves so far, in values and layers touched: what search budgets are counted in.</summary>
    public long Work { get; private set; }

    public void Reset(ReadOnlySpan<int> assignment)
    {
        _mixed = null;
        Array.Clear(Compute);
        Array.Clear(Up);
        Array.Clear(Down);
        Array.Clear(WeightBytes);
        Array.Clear(TouchedBytes);
        Array.Clear(LayersOn);
        Array.Clear(_weightReaders);
        TransferredBytes = 0;
        TransferJoules = 0;
        assignment.CopyTo(Assignment);
        for (int layer = 0; layer < Assignment.Length; layer++)
        {
            if (Assignment[layer] != Unassigned)
                AddLayer(layer, Assignment[layer], 1);
        }
        for (int value = 0; value < _graph.ValueCount; value++)
            AddValue(value, 1);
        AddHeldWeights();
    }

    /// <summary>
    /// Makes these the loads of requests that take several routes in turn: seconds and bytes sent are means by share, while a device holds the
    /// weights of every route. Not to be moved on from.
    /// </summary>
    public void Mix(IReadOnlyList<(double Share, PlacementLoads Loads)> routes)
    {
        Reset(routes[0].Loads.Assignment);
        _mixed = [.. routes.Select(static route => route.Loads.Assignment)];
        double bytes = 0;
        TransferJoules = 0;
        foreach (double[] seconds in new[] { Compute, Up, Down })
            Array.Clear(seconds);
        foreach ((double share, PlacementLoads loads) in routes)
        {
            bytes += share * loads.TransferredBytes;
            TransferJoules += share * loads.TransferJoules;
            for (int device = 0; device < Compute.Length; device++)
            {
                Compute[device] += share * loads.Compute[device];
                Up[device] += share * loads.Up[device];
                Down[device] += share * loads.Down[device];
                TouchedBytes[device] = Math.Max(TouchedBytes[device], loads.TouchedBytes[device]);
            }
        }
        TransferredBytes = (long)Math.Round(bytes);
        foreach (int[] assignment in _mixed.Skip(1))
        {
            for (int layer = 0; layer < assignment.Length; layer++)
            {
                LayersOn[assignment[layer]]++;
                AddWeights(layer, assignment[layer], 1);
            }
        }
    }

    /// <summary>Assigns layers to a device, or unassigns them.</summary>
    /// <param name="layers">The layers.</param>
    /// <param name="values">Every value that one of the layers reads or makes, each once.</param>
    /// <param name="device">The device, or <see cref="Unassigned"/>.</param>
    public void Move(ReadOnlySpan<int> layers, ReadOnlySpan<int> values, int device)
    {
        foreach (int value in values)
            AddValue(value, -1);
        foreach (int layer in layers)
        {
            if (Assignment[layer] != Unassigned)
                AddLayer(layer, Assignment[layer], -1);
            Assignment[layer] = device;
            if (device != Unassigned)
                AddLayer(layer, device, 1);
        }
        foreach (int value in values)
            AddValue(value, 1);
    }

    /// <summary>Seconds that a device or its busiest interface is busy with one request.</summary>
    public double LoadOf(int device) => _model.Overlap
        ? Math.Max(Compute[device] / _model.Slots[device], Math.Max(Up[device], Down[device]))
        : (Compute[device] + Up[device] + Down[device]) / _model.Slots[device];

    public double Bottleneck()
    {
        double largest = 0;
        for (int device = 0; device < Compute.Length; device++)
            largest = Math.Max(largest, LoadOf(device));
        return largest;
    }

    /// <summary>The device with the largest load.</summary>
    public int Busiest()
    {
        int busiest = 0;
        double largest = -1;
        for (int device = 0; device < Compute.Length; device++)
        {
            double load = LoadOf(device);
            if (load > largest)
                (busiest, largest) = (device, load);
        }
        return busiest;
    }

    /// <summary>
    /// The 16-norm of the loads: a little more than the bottleneck, and it also falls when the second busiest device is relieved,
    /// which shows a search the way across plateaus.
    /// </summary>
    public double SmoothBottleneck()
    {
        double largest = Bottleneck();
        if (!(largest > 0))
            return 0;
        double sum = 0;
        for (int device = 0; device < Compute.Length; device++)
        {
            double share = LoadOf(device) / largest;
            share *= share;
            share *= share;
            share *= share;
            sum += share * share;
        }
        return largest * Math.Pow(sum, 1.0 / 16);
    }

    /// <summary>Joules of computing and sending; idle power comes on top.</summary>
    public double ActiveJoules()
    {
        double joules = TransferJoules;
        for (int device = 0; device < Compute.Length; device++)
            joules += Compute[device] * _model.Devices[device].ActiveWatts;
        return joules;
    }

    /// <summary>The largest compute time over the mean of all devices, less 1.</summary>
    public double Imbalance()
    {
        double sum = 0, largest = 0;
        foreach (double seconds in Compute)
        {
            sum += seconds;
            largest = Math.Max(largest, seconds);
        }
        return sum > 0 ? (largest * Compute.Length / sum) - 1 : 0;
    }

    public int UsedDevices()
    {
        int used = 0;
        foreach (int layers in LayersOn)
            used += layers > 0 ? 1 : 0;
        return used;
    }

    private void AddLayer(int layer, int device, int sign)
    {
        Work++;
        Compute[device] += sign * _model.SecondsOf(layer, device);
        LayersOn[device] += sign;
        AddWeights(layer, device, sign);
    }

    private void AddHeldWeights()
    {
        foreach (int[] assignment in _model.HeldAssignments)
        {
            for (int layer = 0; layer < assignment.Length; layer++)
            {
                if (assignment[layer] != Unassigned)
                    AddWeights(layer, assignment[layer], 1);
            }
        }
    }

    private void AddWeights(int layer, int device, int sign)
    {
        foreach (int weight in _model.WeightsOf(layer))
        {
            ref int readers = ref _weightReaders[(weight * _model.DeviceCount) + device];
            int before = readers;
            readers += sign;
            if (before == 0 || readers == 0)
                WeightBytes[device] += sign * _model.Problem.Graph.Weights[weight].ByteCount;
        }
    }

    private void AddValue(int value, int sign)
    {
        int producer = _graph.Producers[value];
        int home = producer >= 0 ? Assignment[producer] : _model.Source;
        ReadOnlySpan<int> consumers = _graph.Consumers(value);
        Work += 1 + consumers.Length;
        Touch(value, producer >= 0 ? home : Unassigned, consumers, sign);
        if (home < 0)
            return;
        int look = ++_look;
        bool cut = false;
        bool sent = false;
        double penalty = _graph.CutPenalties[value];
        foreach (int consumer in consumers)
        {
            int device = Assignment[consumer];
            if (device < 0 || device == home)
                continue;
            cut = true;
            if (penalty > 0)
                Compute[device] += sign * penalty * _model.SecondsOf(consumer, device);
            if (_seenBy[device] == look)
                continue;
            _seenBy[device] = look;
            Deliver(value, home, device, sign, ref sent);
        }
        if (producer < 0)
            return;
        if (cut && penalty > 0)
            Compute[home] += sign * penalty * _model.SecondsOf(producer, home);
        if (_graph.IsOutput[value] && _model.Source >= 0 && _model.Source != home && _seenBy[_model.Source] != look)
            Deliver(value, home, _model.Source, sign, ref sent);
    }

    private void Touch(int value, int maker, ReadOnlySpan<int> consumers, int sign)
    {
        int look = ++_look;
        long bytes = sign * _graph.Bytes[value];
        if (maker >= 0)
        {
            _seenBy[maker] = look;
            TouchedBytes[maker] += bytes;
        }
        foreach (int consumer in consumers)
        {
            int device = Assignment[consumer];
            if (device < 0 || _seenBy[device] == look)
                continue;
            _seenBy[device] = look;
            TouchedBytes[device] += bytes;
        }
    }

    private void Deliver(int value, int from, int to, int sign, ref bool sent)
    {
        int relay = _model.Relay;
        if (relay < 0)
        {
            Send(value, from, to, sign);
            return;
        }
        if (!sent && from != relay)
            Send(value, from, relay, sign);
        sent = true;
        if (to != relay)
            Send(value, relay, to, sign);
    }

    private void Send(int value, int from, int to, int sign)
    {
        double seconds = sign * _model.TransferSeconds(value, from, to);
        if (_model.Shared[from])
            Up[from] += seconds;
        if (_model.Shared[to])
            Down[to] += seconds;
        long bytes = sign * _graph.Bytes[value];
        TransferredBytes += bytes;
        TransferJoules += bytes * _model.JoulesPerByte(from, to);
    }
}
