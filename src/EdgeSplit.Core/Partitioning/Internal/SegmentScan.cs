namespace EdgeSplit.Partitioning.Internal;

/// <summary>Grows a run of consecutive layers one by one and keeps what it receives, sends and holds. Not thread-safe.</summary>
internal sealed class SegmentScan
{
    private readonly PlacementModel _model;
    private readonly int[] _order;
    private readonly int _linkKind;
    private readonly int[] _positions;
    private readonly int[] _lastReader;
    private readonly int[] _seenValue;
    private readonly int[] _seenWeight;
    private int _scan;
    private int _start;
    private int _end;

    public SegmentScan(PlacementModel model, int[] order, int linkKind)
    {
        _model = model;
        _order = order;
        _linkKind = linkKind;
        _positions = new int[order.Length];
        for (int position = 0; position < order.Length; position++)
            _positions[order[position]] = position;
        _lastReader = new int[model.Graph.ValueCount];
        for (int value = 0; value < _lastReader.Length; value++)
        {
            _lastReader[value] = -1;
            foreach (int consumer in model.Graph.Consumers(value))
                _lastReader[value] = Math.Max(_lastReader[value], _positions[consumer]);
        }
        _seenValue = new int[model.Graph.ValueCount];
        _seenWeight = new int[model.Problem.Graph.Weights.Length];
    }

    /// <summary>Seconds to receive what the run needs from before it, and the model's inputs where those have a source.</summary>
    public double ReceivedSeconds { get; private set; }

    /// <summary>Seconds to send, once, what layers after the run and the sink need of it.</summary>
    public double SentSeconds { get; private set; }

    public long WeightBytes { get; private set; }

    public void Start(int position)
    {
        _scan++;
        _start = _end = position;
        ReceivedSeconds = SentSeconds = 0;
        WeightBytes = 0;
    }

    public void ExtendTo(int position)
    {
        for (; _end < position; _end++)
            Add(_order[_end]);
    }

    private void Add(int layer)
    {
        foreach (int weight in _model.WeightsOf(layer))
        {
            if (_seenWeight[weight] == _scan)
                continue;
            _seenWeight[weight] = _scan;
            WeightBytes += _model.Problem.Graph.Weights[weight].ByteCount;
        }
        foreach (int output in _model.Graph.Outputs(layer))
        {
            if (_lastReader[output] >= 0 || IsForSink(output))
                SentSeconds += _model.TransferSecondsByKind(output, _linkKind);
        }
        foreach (int input in _model.Graph.Inputs(layer))
        {
            int producer = _model.Graph.Producers[input];
            bool isInside = producer >= 0 && _positions[producer] >= _start;
            if (isInside && _lastReader[input] == _end && !IsForSink(input))
                SentSeconds -= _model.TransferSecondsByKind(input, _linkKind);
            bool travels = !isInside && (producer >= 0 || _model.Source >= 0);
            if (travels && _seenValue[input] != _scan)
                ReceivedSeconds += _model.TransferSecondsByKind(input, _linkKind);
            _seenValue[input] = _scan;
        }
    }

    private bool IsForSink(int value) => _model.Graph.IsOutput[value] && _model.Source >= 0;
}
