using EdgeSplit.Partitioning.Internal;
using Google.OrTools.Sat;

namespace EdgeSplit.OrTools.Internal;

/// <summary>What devices compute, send and receive, as the evaluator adds it up: each value once to each device that needs it, through the relay where it passes values on.</summary>
internal sealed class ProgramLoads
{
    private readonly CpModel _program;
    private readonly PlacementModel _model;
    private readonly PlacementUnits _units;
    private readonly BoolVar?[,] _placed;
    private readonly ProgramObjective _objective;
    private readonly LinearExprBuilder[] _up;
    private readonly LinearExprBuilder[] _down;

    public ProgramLoads(CpModel program, PlacementModel model, PlacementUnits units, BoolVar?[,] placed, ProgramObjective objective)
    {
        (_program, _model, _units, _placed, _objective) = (program, model, units, placed, objective);
        Compute = NewSums();
        _up = NewSums();
        _down = NewSums();
        for (int unit = 0; unit < units.Count; unit++)
        {
            foreach (int device in units.Choices[unit])
                AddCompute(placed[unit, device]!, units.SecondsOf(unit, device), device);
        }
        for (int value = 0; value < model.Graph.ValueCount; value++)
            AddValue(value);
        if (objective.HasBottleneck)
            BoundBottleneck();
    }

    /// <summary>Ticks of computing by device.</summary>
    public LinearExprBuilder[] Compute { get; }

    private LinearExprBuilder[] NewSums() => [.. Enumerable.Range(0, _model.DeviceCount).Select(static _ => LinearExpr.NewBuilder())];

    private void BoundBottleneck()
    {
        for (int device = 0; device < _model.DeviceCount; device++)
        {
            LinearExpr whole = _model.Slots[device] * _objective.Bottleneck;
            if (_model.Overlap)
            {
                _program.Add(whole >= Compute[device]);
                _program.Add(_objective.Bottleneck >= _up[device]);
                _program.Add(_objective.Bottleneck >= _down[device]);
            }
            else
            {
                LinearExprBuilder all = LinearExpr.NewBuilder();
                all.Add(Compute[device]);
                all.Add(_up[device]);
                all.Add(_down[device]);
                _program.Add(whole >= all);
            }
        }
    }

    private void AddCompute(BoolVar isComputed, double seconds, int device)
    {
        long ticks = _objective.Seconds.Floor(seconds);
        if (ticks > 0)
            Compute[device].AddTerm(isComputed, ticks);
        _objective.AddCompute(isComputed, seconds, device);
    }

    private void Send(BoolVar isSent, int value, int from, int to)
    {
        long ticks = _objective.Seconds.Floor(_model.TransferSeconds(value, from, to));
        if (_model.Shared[from] && ticks > 0)
            _up[from].AddTerm(isSent, ticks);
        if (_model.Shared[to] && ticks > 0)
            _down[to].AddTerm(isSent, ticks);
        _objective.AddTransfer(isSent, _model.Graph.Bytes[value], _model.JoulesPerByte(from, to));
    }

    private void AddValue(int value)
    {
        int producer = _model.Graph.Producers[value];
        if (producer < 0 && _model.Source < 0)
            return;
        var flow = new ValueFlow(
            producer < 0 ? -1 : _units.UnitOf[producer],
            [.. _model.Graph.Consumers(value).ToArray().Select(layer => _units.UnitOf[layer]).Distinct().Where(unit => producer < 0 || unit != _units.UnitOf[producer])],
            producer >= 0 && _model.Graph.IsOutput[value] && _model.Source >= 0);
        if (_model.Relay >= 0 && _model.Problem.DirectPairs.IsEmpty)
            AddRelayed(value, flow);
        else if (_model.Relay >= 0)
            AddMixed(value, flow);
        else
            AddDirect(value, flow);
        if (_model.Graph.CutPenalties[value] > 0)
            AddPenalties(value, producer, flow);
    }

    private void AddRelayed(int value, ValueFlow flow)
    {
        for (int home = 0; home < _model.DeviceCount; home++)
        {
            if (home == _model.Relay || !MayBeMadeOn(flow, home))
                continue;
            // Sent once where any reader is elsewhere.
            if (flow.GoesToSource && home != _model.Source)
                Send(_placed[flow.Maker, home]!, value, home, _model.Relay);
            else if (AnyOf([.. flow.Readers.Select(reader => (flow.Maker < 0 ? null : _placed[flow.Maker, home], _placed[reader, home]))], flow.Maker < 0) is BoolVar isSent)
                Send(isSent, value, home, _model.Relay);
        }
        for (int device = 0; device < _model.DeviceCount; device++)
        {
            if (device != _model.Relay && IsNeeded(flow, device) is BoolVar isNeeded)
                Send(isNeeded, value, _model.Relay, device);
        }
    }

    /// <summary>For each device that a value may be made on, and each that may need it then, its way: over their own link, or by the relay.</summary>
    private void AddMixed(int value, ValueFlow flow)
    {
        for (int home = 0; home < _model.DeviceCount; home++)
        {
            if (!MayBeMadeOn(flow, home))
                continue;
            var relayed = new List<BoolVar>();
            for (int device = 0; device < _model.DeviceCount; device++)
            {
                if (device == home || GoesFrom(flow, home, device) is not BoolVar goes)
                    continue;
                bool isRelayed = _model.IsRelayed(home, device);
                if (isRelayed || device == _model.Relay)
                    relayed.Add(goes);
                if (isRelayed)
                    Send(goes, value, _model.Relay, device);
                else if (device != _model.Relay)
                    Send(goes, value, home, device);
            }
            if (relayed.Count == 0)
                continue;
            BoolVar isSent = relayed[0];
            if (relayed.Count > 1)
            {
                isSent = _program.NewBoolVar("");
                foreach (BoolVar goes in relayed)
                    _program.AddImplication(goes, isSent);
            }
            Send(isSent, value, home, _model.Relay);
        }
    }

    /// <summary>A literal that holds where a value is made on one device and needed on another; null where that cannot be.</summary>
    private BoolVar? GoesFrom(ValueFlow flow, int home, int device)
    {
        BoolVar? maker = flow.Maker < 0 ? null : _placed[flow.Maker, home];
        if (flow.GoesToSource && device == _model.Source)
            return maker;
        BoolVar[] readers = [.. flow.Readers.Select(reader => _placed[reader, device]).OfType<BoolVar>()];
        if (readers.Length == 0)
            return null;
        if (maker is null && readers.Length == 1)
            return readers[0];
        BoolVar goes = _program.NewBoolVar("");
        foreach (BoolVar reader in readers)
        {
            if (maker is null)
                _program.AddImplication(reader, goes);
            else
                _program.AddBoolOr([goes, maker.Not(), reader.Not()]);
        }
        return goes;
    }

    private void AddDirect(int value, ValueFlow flow)
    {
        if (flow.Maker < 0)
        {
            for (int device = 0; device < _model.DeviceCount; device++)
            {
                if (device != _model.Source && IsNeeded(flow, device) is BoolVar isNeeded)
                    Send(isNeeded, value, _model.Source, device);
            }
            return;
        }
        for (int device = 0; device < _model.DeviceCount; device++)
        {
            bool isResult = flow.GoesToSource && device == _model.Source;
            BoolVar[] readers = [.. flow.Readers.Select(reader => _placed[reader, device]).OfType<BoolVar>()];
            if (!isResult && readers.Length == 0)
                continue;
            LinearExprBuilder arrives = LinearExpr.NewBuilder();
            foreach (int home in _units.Choices[flow.Maker])
            {
                if (home == device)
                    continue;
                if (isResult)
                {
                    Send(_placed[flow.Maker, home]!, value, home, device);
                    continue;
                }
                BoolVar isSent = _program.NewBoolVar("");
                _program.AddImplication(isSent, _placed[flow.Maker, home]!);
                arrives.Add(isSent);
                Send(isSent, value, home, device);
            }
            if (isResult)
                continue;
            if (_placed[flow.Maker, device] is BoolVar isMadeHere)
                arrives.Add(isMadeHere);
            foreach (BoolVar reader in readers)
                _program.Add(arrives >= reader);
        }
    }

    /// <summary>A cut slows the layers on both of its sides.</summary>
    private void AddPenalties(int value, int producer, ValueFlow flow)
    {
        double penalty = _model.Graph.CutPenalties[value];
        for (int device = 0; device < _model.DeviceCount; device++)
        {
            if (flow.Maker < 0 && device == _model.Source)
                continue;
            foreach (IGrouping<int, int> readers in _model.Graph.Consumers(value).ToArray().GroupBy(layer => _units.UnitOf[layer]))
            {
                if (readers.Key == flow.Maker || _placed[readers.Key, device] is not BoolVar here)
                    continue;
                BoolVar isCut = flow.Maker < 0 || _placed[flow.Maker, device] is not BoolVar maker ? here : Without(here, maker);
                AddCompute(isCut, penalty * readers.Sum(layer => _model.SecondsOf(layer, device)), device);
            }
            if (flow.Maker >= 0 && _placed[flow.Maker, device] is BoolVar home
                && AnyOf([.. flow.Readers.Select(reader => ((BoolVar?)home, _placed[reader, device]))], false) is BoolVar isAnyCut)
                AddCompute(isAnyCut, penalty * _model.SecondsOf(producer, device), device);
        }
    }

    private bool MayBeMadeOn(ValueFlow flow, int device) => flow.Maker < 0 ? device == _model.Source : _placed[flow.Maker, device] is not null;

    /// <summary>A literal that holds where a device needs a value that is made elsewhere; null where none may.</summary>
    private BoolVar? IsNeeded(ValueFlow flow, int device)
    {
        if (flow.Maker < 0 && device == _model.Source)
            return null;
        BoolVar[] readers = [.. flow.Readers.Select(reader => _placed[reader, device]).OfType<BoolVar>()];
        BoolVar? maker = flow.Maker < 0 ? null : _placed[flow.Maker, device];
        bool isResult = flow.GoesToSource && device == _model.Source;
        if (!isResult && readers.Length == 0)
            return null;
        if (!isResult && readers.Length == 1 && maker is null)
            return readers[0];
        BoolVar isNeeded = _program.NewBoolVar("");
        foreach (BoolVar reader in readers)
            Require(isNeeded, reader, maker);
        if (isResult && maker is null)
            _program.Add(isNeeded == 1);
        else if (isResult)
            _program.AddBoolOr([isNeeded, maker!]);
        return isNeeded;
    }

    /// <summary>A literal that holds where one of some first literals holds and its second does not.</summary>
    /// <param name="pairs">First and second; a second that is null never holds.</param>
    /// <param name="isFirstCertain">Whether the first always hold.</param>
    private BoolVar? AnyOf((BoolVar? First, BoolVar? Second)[] pairs, bool isFirstCertain)
    {
        if (pairs.Length == 0)
            return null;
        BoolVar any = _program.NewBoolVar("");
        foreach ((BoolVar? first, BoolVar? second) in pairs)
        {
            var clause = new List<ILiteral> { any };
            if (!isFirstCertain)
                clause.Add(first!.Not());
            if (second is not null)
                clause.Add(second);
            _program.AddBoolOr(clause);
        }
        return any;
    }

    private BoolVar Without(BoolVar first, BoolVar second)
    {
        BoolVar only = _program.NewBoolVar("");
        Require(only, first, second);
        return only;
    }

    private void Require(BoolVar then, BoolVar first, BoolVar? unless)
    {
        if (unless is null)
            _program.AddImplication(first, then);
        else
            _program.AddBoolOr([then, first.Not(), unless]);
    }

    /// <summary>Where a value goes.</summary>
    /// <param name="Maker">The unit that makes it; -1 for an input of the model, which is at the source.</param>
    /// <param name="Readers">The other units that read it.</param>
    /// <param name="GoesToSource">Whether it is a result that the source takes.</param>
    private readonly record struct ValueFlow(int Maker, int[] Readers, bool GoesToSource);
}
