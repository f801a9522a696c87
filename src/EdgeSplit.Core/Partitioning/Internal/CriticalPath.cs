namespace EdgeSplit.Partitioning.Internal;

/// <summary>
/// The least time from a layer on a device to the end, and so of the whole model: along each path every layer is on its
/// best device and transfers are paid, but nothing waits for a device or a link.
/// </summary>
internal sealed class CriticalPath
{
    /// <summary>Above this many devices a transfer is bounded by the cheapest there is, to save the square of them.</summary>
    private const int MostExactDevices = 48;

    private readonly PlacementModel _model;
    private readonly double[] _tails;
    private readonly double[] _cheapest;

    public CriticalPath(PlacementModel model)
    {
        _model = model;
        _tails = new double[model.LayerCount * model.DeviceCount];
        _cheapest = new double[model.Graph.ValueCount];
        for (int value = 0; value < _cheapest.Length; value++)
            _cheapest[value] = CheapestTransfer(value);
        for (int atom = model.Graph.Atoms.Layers.Length - 1; atom >= 0; atom--)
        {
            int[] layers = model.Graph.Atoms.Layers[atom];
            for (int i = layers.Length - 1; i >= 0; i--)
                AddTails(layers[i]);
        }
        LatencySeconds = Math.Max(FromInputs(), FromLayersWithoutInputs());
    }

    /// <summary>No plan's latency can be below.</summary>
    public double LatencySeconds { get; }

    /// <summary>Seconds from the end of a layer on a device until the end of the request, at least.</summary>
    public double After(int layer, int device) => _tails[(layer * _model.DeviceCount) + device];

    private double CheapestTransfer(int value)
    {
        double cheapest = double.PositiveInfinity;
        for (int kind = 0; kind < _model.LinkKindCount; kind++)
        {
            // Kind 1 is a device to itself.
            if (kind != 1)
                cheapest = Math.Min(cheapest, _model.TransferSecondsByKind(value, kind) + _model.LinkLatencySeconds[kind]);
        }
        return cheapest;
    }

    private void AddTails(int layer)
    {
        Span<double> tails = _tails.AsSpan(layer * _model.DeviceCount, _model.DeviceCount);
        foreach (int value in _model.Graph.Outputs(layer))
        {
            if (_model.Graph.IsOutput[value] && _model.Source >= 0)
            {
                for (int device = 0; device < tails.Length; device++)
                    tails[device] = Math.Max(tails[device], _model.DeliverySeconds(value, device, _model.Source));
            }
            foreach (int consumer in _model.Graph.Consumers(value))
                AddTails(tails, value, consumer);
        }
    }

    private void AddTails(Span<double> tails, int value, int consumer)
    {
        int devices = tails.Length;
        if (devices > MostExactDevices)
        {
            double best = double.PositiveInfinity;
            for (int device = 0; device < devices; device++)
                best = Math.Min(best, Through(consumer, device));
            for (int device = 0; device < devices; device++)
                tails[device] = Math.Max(tails[device], Math.Min(Through(consumer, device), best + _cheapest[value]));
            return;
        }
        for (int device = 0; device < devices; device++)
        {
            double best = double.PositiveInfinity;
            for (int other = 0; other < devices; other++)
            {
                double through = Through(consumer, other);
                if (through < best)
                    best = Math.Min(best, through + _model.DeliverySeconds(value, device, other));
            }
            tails[device] = Math.Max(tails[device], best);
        }
    }

    private double Through(int layer, int device) => _model.SecondsOf(layer, device) + After(layer, device);

    private double FromInputs()
    {
        double latest = 0;
        for (int value = 0; value < _model.Graph.ValueCount; value++)
        {
            if (_model.Graph.Producers[value] >= 0)
                continue;
            foreach (int consumer in _model.Graph.Consumers(value))
            {
                double best = double.PositiveInfinity;
                for (int device = 0; device < _model.DeviceCount; device++)
                    best = Math.Min(best, Through(consumer, device) + (_model.Source < 0 ? 0 : _model.DeliverySeconds(value, _model.Source, device)));
                latest = Math.Max(latest, best);
            }
        }
        return latest;
    }

    private double FromLayersWithoutInputs()
    {
        double latest = 0;
        for (int layer = 0; layer < _model.LayerCount; layer++)
        {
            double best = double.PositiveInfinity;
            for (int device = 0; device < _model.DeviceCount; device++)
                best = Math.Min(best, Through(layer, device));
            latest = Math.Max(latest, best);
        }
        return latest;
    }
}
