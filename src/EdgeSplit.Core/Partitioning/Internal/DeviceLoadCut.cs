namespace EdgeSplit.Partitioning.Internal;

/// <summary>
/// What a device must at least do with a set of units on it, whatever the others do: computing them and exchanging values with the rest. As
/// this load is a submodular function of the set, the set that costs least at given prices is a minimum cut. Not thread-safe.
/// </summary>
internal sealed class DeviceLoadCut
{
    /// <summary>Arcs that are looked at in the time of one unit of the budget.</summary>
    private const int StepsPerWork = 5;

    /// <summary>What a minimum is taken to cost before there was one, for each unit and value.</summary>
    private const int FirstWorkPerNode = 4;

    private readonly PlacementModel _model;
    private readonly PlacementUnits _units;
    private readonly int _device;
    private readonly double _transferWeight;
    private readonly MaximumFlow _flow = new();
    private readonly int _source;
    private readonly int _sink;
    private readonly int[] _nodes;
    private readonly int[] _sourceArcs;
    private readonly int[] _sinkArcs;
    private readonly double[] _compute;
    private readonly List<Exchange> _exchanges = [];
    private long _cuts;

    /// <param name="model">The model.</param>
    /// <param name="units">Its units.</param>
    /// <param name="device">The device.</param>
    /// <param name="computeShare">
    /// With overlap a load is the largest of computing, sending and receiving, so any mean of them is below it: the share of computing in the mean.
    /// </param>
    public DeviceLoadCut(PlacementModel model, PlacementUnits units, int device, double computeShare = 1)
    {
        (_model, _units, _device) = (model, units, device);
        double slots = model.Slots[device];
        double computeWeight = (model.Overlap ? computeShare : 1) / slots;
        _transferWeight = model.Overlap ? (1 - computeShare) / 2 : 1 / slots;
        _source = _flow.AddNode();
        _sink = _flow.AddNode();
        (_nodes, _sourceArcs, _sinkArcs, _compute) = (new int[units.Count], new int[units.Count], new int[units.Count], new double[units.Count]);
        for (int unit = 0; unit < units.Count; unit++)
        {
            // On the source's side a unit is on the device.
            _nodes[unit] = _flow.AddNode();
            _sourceArcs[unit] = _flow.AddArc(_source, _nodes[unit], 0);
            _sinkArcs[unit] = _flow.AddArc(_nodes[unit], _sink, 0);
            _compute[unit] = IsAllowed(unit) ? computeWeight * units.SecondsOf(unit, device) : 0;
        }
        for (int value = 0; value < model.Graph.ValueCount; value++)
            AddValue(value);
    }

    /// <summary>The work of all minima so far.</summary>
    public long Work { get; private set; }

    /// <summary>The work that one minimum takes: the mean so far.</summary>
    public long WorkPerCut => _cuts > 0 ? Math.Max(1, Work / _cuts) : FirstWorkPerNode * (_units.Count + _model.Graph.ValueCount);

    public bool IsAllowed(int unit) => _units.IsAllowed(unit, _device);

    /// <summary>The load, or with overlap its mean, of a set.</summary>
    public double LoadOf(bool[] isOn)
    {
        double load = 0;
        for (int unit = 0; unit < isOn.Length; unit++)
            load += isOn[unit] ? _compute[unit] : 0;
        foreach (Exchange value in _exchanges)
        {
            bool isMade = value.Maker >= 0 && isOn[value.Maker];
            if (isMade && (value.IsForSource || Array.Exists(value.Readers, reader => !isOn[reader])))
                load += value.Send;
            if (!isMade && Array.Exists(value.Readers, reader => isOn[reader]))
                load += value.Receive;
        }
        return load;
    }

    /// <summary>The least of load less prices over all sets.</summary>
    /// <param name="prices">A price of each unit, in seconds of load; null for none.</param>
    /// <param name="choices">Which units are in (1), out (-1) or free (0).</param>
    /// <param name="isOn">Receives the set.</param>
    public double Minimise(double[]? prices, sbyte[] choices, bool[] isOn)
    {
        double constant = 0;
        for (int unit = 0; unit < _nodes.Length; unit++)
        {
            double weight = _compute[unit] - (prices?[unit] ?? 0);
            (double toUnit, double fromUnit) = choices[unit] < 0 || !IsAllowed(unit) ? (0, double.PositiveInfinity)
                : choices[unit] > 0 ? (double.PositiveInfinity, 0)
                : (Math.Max(0, -weight), Math.Max(0, weight));
            if (choices[unit] > 0 || double.IsFinite(fromUnit))
                constant += choices[unit] > 0 ? weight : Math.Min(0, weight);
            _flow.SetCapacity(_sourceArcs[unit], toUnit);
            _flow.SetCapacity(_sinkArcs[unit], fromUnit);
        }
        double least = _flow.Run(_source, _sink);
        _cuts++;
        Work = (_flow.Steps / StepsPerWork) + (_cuts * _nodes.Length / StepsPerWork);
        for (int unit = 0; unit < isOn.Length; unit++)
            isOn[unit] = _flow.IsOnSourceSide(_nodes[unit]);
        return least + constant;
    }

    private void AddValue(int value)
    {
        int producer = _model.Graph.Producers[value];
        int maker = producer < 0 ? -1 : _units.UnitOf[producer];
        double send = producer < 0 ? 0 : _transferWeight * LeastSend(value);
        double receive = _transferWeight * LeastReceive(value);
        int[] readers = [.. _model.Graph.Consumers(value).ToArray().Select(layer => _units.UnitOf[layer]).Distinct().Where(unit => unit != maker)];
        bool isForSource = producer >= 0 && _model.Graph.IsOutput[value] && _model.Source >= 0 && _model.Source != _device;
        if ((send <= 0 && receive <= 0) || (readers.Length == 0 && !isForSource))
            return;
        _exchanges.Add(new Exchange(maker, readers, send, receive, isForSource));
        if (isForSource)
        {
            _flow.AddArc(_nodes[maker], _sink, send);
            send = 0;
        }
        if (maker >= 0 && readers.Length == 1)
        {
            _flow.AddArc(_nodes[maker], _nodes[readers[0]], send, receive);
            return;
        }
        if (send > 0)
        {
            int gate = _flow.AddNode();
            _flow.AddArc(_nodes[maker], gate, send);
            foreach (int reader in readers)
                _flow.AddArc(gate, _nodes[reader], double.PositiveInfinity);
        }
        if (receive > 0 && readers.Length > 0)
        {
            // An input of the model is made where no unit of the device is.
            int gate = _flow.AddNode();
            _flow.AddArc(gate, maker < 0 ? _sink : _nodes[maker], receive);
            foreach (int reader in readers)
                _flow.AddArc(_nodes[reader], gate, double.PositiveInfinity);
        }
    }

    private double LeastSend(int value) => _model.Shared[_device] ? Least(value, isSending: true) : 0;

    private double LeastReceive(int value)
    {
        if (!_model.Shared[_device])
            return 0;
        if (_model.Graph.Producers[value] >= 0)
            return Least(value, isSending: false);
        return _model.Source < 0 || _model.Source == _device ? 0 : _model.TransferSeconds(value, _model.IsRelayed(_model.Source, _device) ? _model.Relay : _model.Source, _device);
    }

    private double Least(int value, bool isSending)
    {
        double least = double.PositiveInfinity;
        for (int other = 0; other < _model.DeviceCount; other++)
        {
            // A relayed pair's own link carries nothing.
            if (other != _device && !(isSending ? _model.IsRelayed(_device, other) : _model.IsRelayed(other, _device)))
                least = Math.Min(least, isSending ? _model.TransferSeconds(value, _device, other) : _model.TransferSeconds(value, other, _device));
        }
        return double.IsFinite(least) ? least : 0;
    }

    /// <summary>A value that the device may exchange.</summary>
    /// <param name="Maker">The unit that makes it; -1 for an input of the model.</param>
    /// <param name="Readers">The other units that read it.</param>
    /// <param name="Send">Seconds to send it, weighted.</param>
    /// <param name="Receive">Seconds to receive it, weighted.</param>
    /// <param name="IsForSource">Whether it is sent wherever it is read, as the source takes it.</param>
    private readonly record struct Exchange(int Maker, int[] Readers, double Send, double Receive, bool IsForSource);
}
