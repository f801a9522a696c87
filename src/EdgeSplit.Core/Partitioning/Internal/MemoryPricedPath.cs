namespace EdgeSplit.Partitioning.Internal;

/// <summary>
/// The least latency of a long path of layers where devices do not hold as much as they would be given, and splits that come near it. What a
/// device holds above its memory is priced (Lagrangian relaxation: Geoffrion, Math. Programming Study 1974); at given prices dynamic programming over the path and the devices
/// finds the cheapest way, which bounds the latency; prices rise where more is placed than fits (subgradient steps of Polyak's length:
/// Held, Wolfe, Crowder, "Validation of Subgradient Optimization", Math. Programming 1974).
/// </summary>
internal sealed class MemoryPricedPath
{
    private const int MostRounds = 400;

    /// <summary>Steps of all rounds together; one is a layer of the path on a device, from another.</summary>
    private const double MostSteps = 1e8;

    private const int FewestRounds = 20;

    /// <summary>Rounds without a better bound after which steps become shorter.</summary>
    private const int Patience = 12;

    private const double ShortestStep = 0.005;

    /// <summary>What is above the limits by this share of the memory can be repaired.</summary>
    private const double RepairableShare = 0.03;

    private const int MostChunks = 128;

    /// <summary>By how much prices answer to what was placed so far.</summary>
    private static readonly double[] Gains = [0.5, 1, 2, 4, 8, 16];

    private readonly PlacementModel _model;
    private readonly PlacementUnits _units;
    private readonly int _devices;
    private readonly int[] _path;

    /// <summary>By position, the value that a layer reads from the one before it on the path, or from outside; -1 for none.</summary>
    private readonly int[] _values;
    private readonly int[] _others;
    private readonly double[] _bytes;
    private readonly double[] _least;
    private readonly byte[] _from;
    private readonly int[] _chosen;
    private readonly double[] _held;

    public MemoryPricedPath(PlacementModel model, PlacementUnits units, CriticalPath paths)
    {
        (_model, _units, _devices) = (model, units, model.DeviceCount);
        (_path, _values) = Longest(paths);
        HashSet<int> onPath = [.. _path];
        _others = [.. Enumerable.Range(0, model.LayerCount).Where(layer => !onPath.Contains(layer))];
        var readers = new int[model.Problem.Graph.Weights.Length];
        for (int layer = 0; layer < model.LayerCount; layer++)
        {
            foreach (int weight in model.WeightsOf(layer))
                readers[weight]++;
        }
        // A device holds a weight once: shares of those who read it never add up to more.
        _bytes = new double[model.LayerCount];
        for (int layer = 0; layer < model.LayerCount; layer++)
        {
            foreach (int weight in model.WeightsOf(layer))
                _bytes[layer] += (double)model.Problem.Graph.Weights[weight].ByteCount / readers[weight];
        }
        _least = new double[2 * _devices];
        _from = new byte[_path.Length * _devices];
        _chosen = new int[model.LayerCount];
        _held = new double[_devices];
    }

    /// <summary>Whether this is worth while, and done in a moment.</summary>
    public static bool IsWorthwhile(PlacementModel model)
    {
        long weights = model.Problem.Graph.WeightBytes;
        return model.Measures.HasFlag(Costs.PlanMeasures.Latency) && model.DeviceCount is > 1 and <= byte.MaxValue
            && model.Devices.Any(device => device.MemoryBytes < weights)
            && (double)model.LayerCount * model.DeviceCount * model.DeviceCount * FewestRounds <= MostSteps;
    }

    /// <summary>What no plan's latency is below.</summary>
    public double LatencySeconds { get; private set; }

    /// <summary>Assignments of the last run that nearly fit, with the bytes that devices are known to hold, the ones that promise least latency first.</summary>
    public List<(double Seconds, int[] Assignment, double[] HeldBytes)> Splits { get; } = [];

    /// <summary>Adjusts the prices of memory.</summary>
    /// <param name="reserve">By device, bytes to keep free; the bound is valid with none only.</param>
    /// <param name="best">A latency that is known to be possible.</param>
    /// <param name="mostSplits">The number of splits to keep.</param>
    public void Run(double[] reserve, double best, int mostSplits)
    {
        double[] limits = [.. _model.Devices.Select((device, index) => device.MemoryBytes == long.MaxValue ? double.PositiveInfinity : Math.Max(0, device.MemoryBytes - reserve[index]))];
        bool isBound = Array.TrueForAll(reserve, static bytes => bytes == 0);
        var prices = new double[_devices];
        double[] center = [.. prices];
        Splits.Clear();
        double highest = double.NegativeInfinity, step = 1;
        int rounds = (int)Math.Clamp(MostSteps / ((double)_path.Length * _devices * _devices), FewestRounds, MostRounds);
        int waited = 0;
        for (int round = 0; round < rounds && step > ShortestStep; round++)
        {
            double seconds = Solve(prices, out double priced);
            double bound = priced;
            for (int device = 0; device < _devices; device++)
                bound -= prices[device] > 0 ? prices[device] * limits[device] : 0;
            if (bound > highest)
            {
                waited = bound > highest * (1 + 1e-4) ? 0 : waited + 1;
                highest = bound;
                prices.CopyTo(center, 0);
            }
            else
            {
                waited++;
            }
            if (waited >= Patience)
            {
                (step, waited) = (step / 2, 0);
                center.CopyTo(prices, 0);
                Solve(prices, out _);
            }
            Keep(seconds, limits, mostSplits);
            double square = 0;
            for (int device = 0; device < _devices; device++)
            {
                double over = double.IsInfinity(limits[device]) ? 0 : (_held[device] - limits[device]) / Scale(device);
                square += over > 0 || prices[device] > 0 ? over * over : 0;
            }
            if (!(square > 0))
                break;
            double length = step * Math.Max(best - bound, 1e-3 * best) / square;
            for (int device = 0; device < _devices; device++)
            {
                if (!double.IsInfinity(limits[device]))
                    prices[device] = Math.Max(0, prices[device] + (length * (_held[device] - limits[device]) / Scale(device) / Scale(device)));
            }
        }
        if (isBound)
            LatencySeconds = Math.Max(LatencySeconds, highest);
        foreach (double gain in Gains)
        {
            double seconds = Solve(center, out _, gain, limits);
            Keep(seconds, limits, mostSplits);
        }
    }

    /// <summary>Prices are compared in seconds for the whole memory of a device.</summary>
    private double Scale(int device) => Math.Max(1, _model.Devices[device].MemoryBytes);

    /// <summary>The cheapest way at some prices of bytes: sets what is chosen and held.</summary>
    /// <param name="prices">Seconds per byte by device.</param>
    /// <param name="priced">Seconds of the path and the price of all layers' bytes; of no use with a gain.</param>
    /// <param name="gain">By how much prices answer to what was placed on the way; 0 for prices that stay.</param>
    /// <param name="limits">By device, the bytes to place at most; with a gain.</param>
    /// <returns>Seconds of the path.</returns>
    private double Solve(double[] prices, out double priced, double gain = 0, double[]? limits = null)
    {
        double[] center = prices;
        if (gain > 0)
            prices = [.. prices];
        int chunk = Math.Max(1, _path.Length / MostChunks);
        Span<double> before = _least.AsSpan(0, _devices);
        Span<double> now = _least.AsSpan(_devices, _devices);
        for (int position = 0; position < _path.Length; position++)
        {
            int layer = _path[position];
            int value = _values[position];
            for (int device = 0; device < _devices; device++)
            {
                now[device] = double.PositiveInfinity;
                if (!_units.IsAllowed(_units.UnitOf[layer], device))
                    continue;
                double least = double.PositiveInfinity;
                if (position == 0)
                {
                    least = value >= 0 && _model.Source >= 0 && _model.Source != device ? _model.DeliverySeconds(value, _model.Source, device) + (prices[device] * ValueBytes(value, device)) : 0;
                }
                else
                {
                    byte from = 0;
                    for (int other = 0; other < _devices; other++)
                    {
                        if (before[other] >= least)
                            continue;
                        double through = other == device ? before[other] : before[other] + _model.DeliverySeconds(value, other, device)
                            + (prices[other] * ValueBytes(value, other)) + (prices[device] * ValueBytes(value, device));
                        if (through < least)
                            (least, from) = (through, (byte)other);
                    }
                    _from[(position * _devices) + device] = from;
                }
                now[device] = least + _model.SecondsOf(layer, device) + (prices[device] * _bytes[layer]);
            }
            Span<double> swap = before;
            before = now;
            now = swap;
            if (gain > 0 && (position + 1) % chunk == 0)
                Steer(center, prices, limits!, gain, position, before);
        }
        int last = _path[^1];
        int best = 0;
        priced = double.PositiveInfinity;
        for (int device = 0; device < _devices; device++)
        {
            double end = before[device] + ToSource(last, device);
            if (end < priced)
                (priced, best) = (end, device);
        }
        double seconds = Trace(_path.Length - 1, best) + ToSource(last, best);
        foreach (int layer in _others)
            priced += Cheapest(layer, prices);
        return seconds;
    }

    /// <summary>
    /// Raises the prices of devices that have been given more of their memory than the share of the path that is done, and lowers those of others:
    /// where at the best prices whole ways are equally cheap, this mixes them, one after the other.
    /// </summary>
    private void Steer(double[] center, double[] prices, double[] limits, double gain, int position, ReadOnlySpan<double> ends)
    {
        int best = 0;
        for (int device = 1; device < _devices; device++)
        {
            if (ends[device] < ends[best])
                best = device;
        }
        Trace(position, best);
        double progress = (position + 1.0) / _path.Length;
        double usual = 0;
        for (int device = 0; device < _devices; device++)
            usual = Math.Max(usual, center[device] * Scale(device));
        for (int device = 0; device < _devices; device++)
        {
            if (double.IsInfinity(limits[device]))
                continue;
            // What has no price is taken as much as there is.
            double over = (_held[device] - (limits[device] * (center[device] > 0 ? progress : 1))) / Scale(device);
            prices[device] = Math.Max(0, center[device] + (gain * over * (center[device] > 0 ? center[device] : usual / Scale(device))));
        }
    }

    /// <summary>Sets what is chosen and held up to a position; returns the seconds of the path so far.</summary>
    private double Trace(int position, int device)
    {
        Array.Clear(_held);
        double seconds = 0;
        for (; position >= 0; position--)
        {
            int layer = _path[position];
            _chosen[layer] = device;
            _held[device] += _bytes[layer];
            seconds += _model.SecondsOf(layer, device);
            int from = position == 0 ? _model.Source : _from[(position * _devices) + device];
            int value = _values[position];
            if (value >= 0 && from >= 0 && from != device)
            {
                seconds += _model.DeliverySeconds(value, from, device);
                _held[device] += ValueBytes(value, device);
                _held[from] += position == 0 ? 0 : ValueBytes(value, from);
            }
            device = from;
        }
        return seconds;
    }

    /// <summary>What a device keeps of a value that it receives or sends: from then on there is no moment without it until all is done.</summary>
    private double ValueBytes(int value, int device) => (double)_model.Slots[device] * _model.Graph.Bytes[value];

    /// <summary>Puts a layer beside the path where its bytes cost least, of those that cost the same where the fewest are.</summary>
    private double Cheapest(int layer, double[] prices)
    {
        int[] choices = _units.Choices[_units.UnitOf[layer]];
        int cheapest = choices[0];
        foreach (int device in choices)
        {
            if (prices[device] < prices[cheapest])
                cheapest = device;
        }
        _chosen[layer] = cheapest;
        _held[cheapest] += _bytes[layer];
        return prices[cheapest] * _bytes[layer];
    }

    private double ToSource(int layer, int device)
    {
        double seconds = 0;
        foreach (int value in _model.Graph.Outputs(layer))
        {
            if (_model.Graph.IsOutput[value] && _model.Source >= 0)
                seconds = Math.Max(seconds, _model.DeliverySeconds(value, device, _model.Source));
        }
        return seconds;
    }

    /// <summary>Keeps what was chosen where it nearly fits.</summary>
    private void Keep(double seconds, double[] limits, int most)
    {
        double over = 0;
        for (int device = 0; device < _devices; device++)
            over = Math.Max(over, (_held[device] - limits[device]) / Scale(device));
        // What is moved away to make room takes longer elsewhere.
        double promised = seconds * (1 + Math.Max(0, over));
        if (over > RepairableShare || Splits.Exists(split => split.Seconds == promised) || (Splits.Count >= most && promised >= Splits[^1].Seconds))
            return;
        Splits.Add((promised, WithOthers(), [.. _held]));
        Splits.Sort(static (first, second) => first.Seconds.CompareTo(second.Seconds));
        if (Splits.Count > most)
            Splits.RemoveAt(most);
    }

    /// <summary>The assignment with the layers beside the path where what they read was made.</summary>
    private int[] WithOthers()
    {
        int[] assignment = [.. _chosen];
        foreach (int layer in _others)
        {
            int maker = -1;
            foreach (int value in _model.Graph.Inputs(layer))
                maker = Math.Max(maker, _model.Graph.Producers[value]);
            if (maker >= 0 && _units.IsAllowed(_units.UnitOf[layer], assignment[maker]))
                assignment[layer] = assignment[maker];
        }
        foreach (int[] layers in _units.Layers)
        {
            foreach (int layer in layers)
                assignment[layer] = assignment[layers[0]];
        }
        return assignment;
    }

    /// <summary>A path that takes long: the layers, and the value that each reads from the one before.</summary>
    private (int[] Layers, int[] Values) Longest(CriticalPath paths)
    {
        int start = 0;
        double longest = -1;
        for (int layer = 0; layer < _model.LayerCount; layer++)
        {
            double seconds = Fastest(layer, paths);
            if (seconds > longest)
                (start, longest) = (layer, seconds);
        }
        var layers = new List<int> { start };
        int first = -1;
        foreach (int value in _model.Graph.Inputs(start))
        {
            if (_model.Graph.Producers[value] < 0 && (first < 0 || _model.Graph.Bytes[value] > _model.Graph.Bytes[first]))
                first = value;
        }
        var values = new List<int> { first };
        while (true)
        {
            int next = -1, by = -1;
            longest = -1;
            foreach (int value in _model.Graph.Outputs(layers[^1]))
            {
                foreach (int consumer in _model.Graph.Consumers(value))
                {
                    double seconds = Fastest(consumer, paths);
                    if (seconds > longest)
                        (next, by, longest) = (consumer, value, seconds);
                }
            }
            if (next < 0)
                return ([.. layers], [.. values]);
            layers.Add(next);
            values.Add(by);
        }
    }

    private double Fastest(int layer, CriticalPath paths)
    {
        double least = double.PositiveInfinity;
        for (int device = 0; device < _devices; device++)
            least = Math.Min(least, _model.SecondsOf(layer, device) + paths.After(layer, device));
        return least;
    }
}
