namespace EdgeSplit.Partitioning.Internal;

/// <summary>
/// Plays one request through an assignment, event by event, and tells when its last result is at the sink.
/// Keeps its buffers between runs; not thread-safe.
/// </summary>
/// <remarks>
/// A stage starts when all its inputs are on its device and a slot is free, first come first served. A stage's outputs
/// exist when it ends. Values then queue for their ways in the order in which they came up; a transfer starts when its
/// sender's uplink and its receiver's downlink are free, holds both for the transfer time, and the value is there one link
/// latency later. Without overlap a transfer takes a slot of both devices in place of their interfaces, and goes before stages.
/// </remarks>
internal sealed class LatencySimulator
{
    private readonly PlacementModel _model;
    private readonly CompiledGraph _graph;
    private readonly StageGrouping _grouping;
    private readonly EventQueue _events = new();
    private readonly TransferQueue _transfers = new();
    private readonly List<int>[] _layersOf;
    private readonly double[] _stageSeconds;
    private readonly double[] _stageStarts;
    private readonly int[] _missing;
    private readonly int[] _seenGroup;
    private readonly int[] _seenDevice;
    private readonly Queue<int>[] _ready;
    private readonly int[] _freeSlots;
    private readonly bool[] _upBusy;
    private readonly bool[] _downBusy;
    private readonly List<int> _justReady = [];
    private readonly List<int> _waitingDevices = [];
    private readonly bool[] _isWaiting;
    private readonly List<int> _receivers = [];
    private readonly Comparison<int> _byRank;
    private int[] _assignment = [];
    private List<TimelineEntry>? _timeline;
    private int _look;
    private double _now;

    public LatencySimulator(PlacementModel model, StageGrouping grouping)
    {
        _model = model;
        _graph = model.Graph;
        _grouping = grouping;
        _layersOf = new List<int>[model.LayerCount];
        _stageSeconds = new double[model.LayerCount];
        _stageStarts = new double[model.LayerCount];
        _missing = new int[model.LayerCount];
        _seenGroup = new int[model.LayerCount];
        _seenDevice = new int[model.DeviceCount];
        _ready = new Queue<int>[model.DeviceCount];
        _freeSlots = new int[model.DeviceCount];
        _upBusy = new bool[model.DeviceCount];
        _downBusy = new bool[model.DeviceCount];
        _isWaiting = new bool[model.DeviceCount];
        _byRank = (first, second) => grouping.RankOf(first).CompareTo(grouping.RankOf(second));
    }

    /// <summary>Seconds until the result is at the sink.</summary>
    /// <param name="assignment">The assignment that the grouping was built for.</param>
    /// <param name="timeline">Receives what happens, or null.</param>
    public double Run(int[] assignment, List<TimelineEntry>? timeline = null)
    {
        _assignment = assignment;
        _timeline = timeline;
        Prepare();
        double end = 0;
        Dispatch();
        while (!_events.IsEmpty)
        {
            _now = _events.NextTime;
            while (!_events.IsEmpty && _events.NextTime == _now)
                Handle(_events.Take());
            end = Math.Max(end, _now);
            Dispatch();
        }
        return end;
    }

    private void Prepare()
    {
        _now = 0;
        _events.Clear();
        _transfers.Clear();
        _justReady.Clear();
        _waitingDevices.Clear();
        Array.Clear(_upBusy);
        Array.Clear(_downBusy);
        Array.Clear(_isWaiting);
        _model.Slots.CopyTo(_freeSlots, 0);
        for (int group = 0; group < _grouping.Count; group++)
        {
            (_layersOf[group] ??= []).Clear();
            _stageSeconds[group] = 0;
            _missing[group] = 0;
            (_ready[_grouping.DeviceOf(group)] ??= []).Clear();
        }
        for (int layer = 0; layer < _assignment.Length; layer++)
        {
            int group = _grouping.GroupOf[layer];
            _layersOf[group].Add(layer);
            _stageSeconds[group] += _model.SecondsOf(layer, _assignment[layer]);
        }
        for (int value = 0; value < _graph.ValueCount; value++)
            PrepareValue(value);
        for (int group = 0; group < _grouping.Count; group++)
        {
            if (_missing[group] == 0)
                _justReady.Add(group);
        }
    }

    private void PrepareValue(int value)
    {
        int producer = _graph.Producers[value];
        int home = producer >= 0 ? _assignment[producer] : _model.Source;
        int homeGroup = producer >= 0 ? _grouping.GroupOf[producer] : -1;
        double penalty = _graph.CutPenalties[value];
        bool cut = false;
        int look = ++_look;
        foreach (int consumer in _graph.Consumers(value))
        {
            int device = _assignment[consumer];
            if (home >= 0 && device != home)
            {
                cut = true;
                _stageSeconds[_grouping.GroupOf[consumer]] += penalty * _model.SecondsOf(consumer, device);
            }
            int group = _grouping.GroupOf[consumer];
            bool isThere = producer < 0 && (home < 0 || device == home);
            if (isThere || group == homeGroup || _seenGroup[group] == look)
                continue;
            _seenGroup[group] = look;
            _missing[group]++;
        }
        if (producer < 0)
            RequestFromHome(value, home);
        else if (cut)
            _stageSeconds[homeGroup] += penalty * _model.SecondsOf(producer, home);
    }

    private void Handle(int id)
    {
        if (id < _grouping.Count)
        {
            EndStage(id);
            return;
        }
        int transfer = (id - _grouping.Count) / 2;
        if ((id - _grouping.Count) % 2 == 0)
            Release(transfer);
        else
            Arrive(transfer);
    }

    private void EndStage(int group)
    {
        int device = _grouping.DeviceOf(group);
        _freeSlots[device]++;
        Wake(device);
        _transfers.MayStart |= !_model.Overlap;
        _timeline?.Add(new TimelineEntry(TimelineEntryKind.Compute, _grouping.RankOf(group), device, device, _stageStarts[group], _now));
        foreach (int layer in _layersOf[group])
        {
            foreach (int output in _graph.Outputs(layer))
            {
                BecomeAvailable(output, device);
                RequestFromHome(output, device);
            }
        }
    }

    /// <summary>Counts a value as present for the stages on a device that wait for it.</summary>
    private void BecomeAvailable(int value, int device)
    {
        int producer = _graph.Producers[value];
        int homeGroup = producer >= 0 ? _grouping.GroupOf[producer] : -1;
        int look = ++_look;
        foreach (int consumer in _graph.Consumers(value))
        {
            int group = _grouping.GroupOf[consumer];
            if (_assignment[consumer] != device || group == homeGroup || _seenGroup[group] == look)
                continue;
            _seenGroup[group] = look;
            if (--_missing[group] == 0)
                _justReady.Add(group);
        }
    }

    private void RequestFromHome(int value, int home)
    {
        if (home < 0)
            return;
        FindReceivers(value, home);
        if (_receivers.Count == 0)
            return;
        bool isRelayed = false;
        foreach (int receiver in _receivers)
        {
            if (receiver == _model.Relay || _model.IsRelayed(home, receiver))
                isRelayed = true;
            else
                _transfers.Add(value, home, receiver);
        }
        // What agents hand to each other leaves before what the relay passes on.
        if (isRelayed)
            _transfers.Add(value, home, _model.Relay);
    }

    private void FindReceivers(int value, int home)
    {
        _receivers.Clear();
        int look = ++_look;
        foreach (int consumer in _graph.Consumers(value))
        {
            int device = _assignment[consumer];
            if (device == home || _seenDevice[device] == look)
                continue;
            _seenDevice[device] = look;
            _receivers.Add(device);
        }
        int source = _model.Source;
        if (_graph.IsOutput[value] && _graph.Producers[value] >= 0 && source >= 0 && source != home && _seenDevice[source] != look)
            _receivers.Add(source);
    }

    private void Release(int transfer)
    {
        (_, int from, int to) = _transfers[transfer];
        Hold(from, to, false);
        _transfers.MayStart = true;
        Wake(from);
        Wake(to);
    }

    private void Arrive(int transfer)
    {
        (int value, int from, int to) = _transfers[transfer];
        BecomeAvailable(value, to);
        if (to != _model.Relay)
            return;
        int producer = _graph.Producers[value];
        FindReceivers(value, producer >= 0 ? _assignment[producer] : _model.Source);
        foreach (int receiver in _receivers)
        {
            if (receiver != to && _model.IsRelayed(from, receiver))
                _transfers.Add(value, to, receiver);
        }
    }

    private void Dispatch()
    {
        StartTransfers();
        StartStages();
    }

    private void StartTransfers()
    {
        if (!_transfers.MayStart)
            return;
        _transfers.MayStart = false;
        for (int transfer = _transfers.First; transfer >= 0;)
        {
            int next = _transfers.After(transfer);
            (int value, int from, int to) = _transfers[transfer];
            if (CanHold(from, to))
            {
                Hold(from, to, true);
                double seconds = _model.TransferSeconds(value, from, to);
                double arrival = _now + seconds + _model.LinkLatencySeconds[_model.LinkKind(from, to)];
                _events.Add(_now + seconds, _grouping.Count + (2 * transfer));
                _events.Add(arrival, _grouping.Count + (2 * transfer) + 1);
                _timeline?.Add(new TimelineEntry(TimelineEntryKind.Transfer, value, from, to, _now, arrival));
                _transfers.Remove(transfer);
            }
            transfer = next;
        }
    }

    private bool CanHold(int from, int to) => _model.Overlap
        ? !(_model.Shared[from] && _upBusy[from]) && !(_model.Shared[to] && _downBusy[to])
        : (!_model.Shared[from] || _freeSlots[from] > 0) && (!_model.Shared[to] || _freeSlots[to] > 0);

    private void Hold(int from, int to, bool hold)
    {
        if (_model.Overlap)
        {
            _upBusy[from] = hold;
            _downBusy[to] = hold;
            return;
        }
        int change = hold ? -1 : 1;
        if (_model.Shared[from])
            _freeSlots[from] += change;
        if (_model.Shared[to])
            _freeSlots[to] += change;
    }

    private void StartStages()
    {
        if (_justReady.Count > 0)
        {
            // Those that became ready at one moment go in the order of the plan, whatever the order of events.
            _justReady.Sort(_byRank);
            foreach (int group in _justReady)
            {
                _ready[_grouping.DeviceOf(group)].Enqueue(group);
                Wake(_grouping.DeviceOf(group));
            }
            _justReady.Clear();
        }
        foreach (int device in _waitingDevices)
        {
            _isWaiting[device] = false;
            while (_freeSlots[device] > 0 && _ready[device] is { Count: > 0 } queue)
            {
                int group = queue.Dequeue();
                _freeSlots[device]--;
                _stageStarts[group] = _now;
                _events.Add(_now + _stageSeconds[group], group);
            }
        }
        _waitingDevices.Clear();
    }

    private void Wake(int device)
    {
        if (_isWaiting[device])
            return;
        _isWaiting[device] = true;
        _waitingDevices.Add(device);
    }
}
