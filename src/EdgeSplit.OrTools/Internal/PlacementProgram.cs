using EdgeSplit.Costs;
using EdgeSplit.Partitioning.Internal;
using Google.OrTools.Sat;

namespace EdgeSplit.OrTools.Internal;

/// <summary>
/// A problem as a constraint program: one literal for each unit and device it may be on, and the loads, memory and latency that follow.
/// Everything that is rounded or left out makes plans look cheaper or possible, never the other way, so what CP-SAT proves of the program holds for the problem.
/// </summary>
internal sealed class PlacementProgram
{
    /// <summary>Larger programs take longer to set up than anyone waits for.</summary>
    private const long MostLiterals = 1_000_000;

    private readonly PlacementModel _model;
    private readonly PlacementUnits _units;
    private readonly SearchState _state;
    private readonly BoolVar?[,] _placed;
    private readonly TickScale _seconds;
    private readonly ProgramLoads _loads;
    private readonly ProgramObjective _objective;

    /// <param name="state">The problem; holds another assignment afterwards.</param>
    /// <param name="incumbent">The best plan known; only what may be better is looked for.</param>
    public PlacementProgram(SearchState state, Incumbent incumbent)
    {
        (_state, _model, _units) = (state, state.Model, state.Units);
        PlanCost? known = null;
        if (incumbent.Exists)
        {
            _state.Loads.Reset(incumbent.Assignment);
            known = _state.Score.Cost(PlanMeasures.All);
        }
        _placed = new BoolVar?[_units.Count, _model.DeviceCount];
        for (int unit = 0; unit < _units.Count; unit++)
        {
            foreach (int device in _units.Choices[unit])
                _placed[unit, device] = Model.NewBoolVar("");
            Model.AddExactlyOne(_units.Choices[unit].Select(device => _placed[unit, device]!));
        }
        _objective = new ProgramObjective(Model, _model, known);
        _seconds = _objective.Seconds;
        _loads = new ProgramLoads(Model, _model, _units, _placed, _objective);
        if (_objective.NeedsLatency)
            new ProgramLatency(Model, _model, _units, _placed, _objective, _loads).Add();
        new ProgramMemory(Model, _model, _units, _placed).Add();
        LimitLoad();
        LimitDevices();
        if (_objective.HasBottleneck)
            Model.Add(_objective.Bottleneck >= _seconds.Floor(new LowerBounds(_model, _units, new DeviceKinds(_model, _units)).BottleneckSeconds));
        _objective.Minimise();
    }

    public CpModel Model { get; } = new();

    /// <summary>Whether a feasible plan costs what the program says, but for rounding.</summary>
    public bool IsExact => _objective.IsBottleneckAlone;

    public static bool IsAffordable(PlacementModel model, PlacementUnits units) =>
        ((long)units.Count * model.DeviceCount) + ((long)model.Graph.ValueCount * model.DeviceCount * (model.Relay < 0 || !model.Problem.DirectPairs.IsEmpty ? model.DeviceCount : 2)) <= MostLiterals;

    /// <summary>What no plan's objective can be below when the program's cannot be below a number.</summary>
    public double Bound(double programBound) => _objective.Bound(programBound);

    public void Hint(ReadOnlySpan<int> assignment)
    {
        if (assignment.IsEmpty)
            return;
        Model.ClearHints();
        for (int unit = 0; unit < _units.Count; unit++)
        {
            foreach (int device in _units.Choices[unit])
                Model.AddHint(_placed[unit, device]!, assignment[_units.Layers[unit][0]] == device);
        }
    }

    public int[] AssignmentOf(Func<BoolVar, bool> isTrue)
    {
        var assignment = new int[_model.LayerCount];
        for (int unit = 0; unit < _units.Count; unit++)
        {
            int device = Array.Find(_units.Choices[unit], device => isTrue(_placed[unit, device]!));
            foreach (int layer in _units.Layers[unit])
                assignment[layer] = device;
        }
        return assignment;
    }

    /// <summary>Rules one assignment out.</summary>
    public void Forbid(int[] assignment) => Model.AddBoolOr(
        Enumerable.Range(0, _units.Count).Select(unit => _placed[unit, assignment[_units.Layers[unit][0]]]!.Not()));

    /// <summary>Rules out, for each device whose memory or load does not allow what is on it, that it has just that.</summary>
    public void ForbidOverfull(int[] assignment)
    {
        _state.Loads.Reset(assignment);
        bool isAny = false;
        for (int device = 0; device < _model.DeviceCount; device++)
        {
            if (_state.Fits(device))
                continue;
            isAny = true;
            Model.AddBoolOr(Enumerable.Range(0, _units.Count).Where(unit => _placed[unit, device] is not null)
                .Select(unit => assignment[_units.Layers[unit][0]] == device ? _placed[unit, device]!.Not() : _placed[unit, device]!));
        }
        if (!isAny)
            Forbid(assignment);
    }

    /// <summary>With a rate to sustain, no device computes for longer than its allowed load leaves.</summary>
    private void LimitLoad()
    {
        if (_model.Problem.RequestsPerSecond <= 0)
            return;
        for (int device = 0; device < _model.DeviceCount; device++)
        {
            double free = _model.Devices[device].AllowedLoad + 1e-9 - _model.Devices[device].CurrentLoad;
            double perSecond = _model.Problem.RequestsPerSecond * (1 - _model.Devices[device].CurrentLoad) / _model.Slots[device];
            if (perSecond > 0)
                Model.Add(_loads.Compute[device] <= _seconds.Ceiling(Math.Max(0, free) / perSecond));
        }
    }

    private void LimitDevices()
    {
        if (_model.Problem.Constraints.MaximumDevices is not int most || most >= _model.DeviceCount)
            return;
        var used = new List<BoolVar>();
        for (int device = 0; device < _model.DeviceCount; device++)
        {
            BoolVar isUsed = Model.NewBoolVar("");
            used.Add(isUsed);
            for (int unit = 0; unit < _units.Count; unit++)
            {
                if (_placed[unit, device] is BoolVar here)
                    Model.AddImplication(here, isUsed);
            }
        }
        Model.Add(LinearExpr.Sum(used) <= most);
    }
}
