using EdgeSplit.Costs;

namespace EdgeSplit.Partitioning.Internal;

/// <summary>
/// Assigns units one after the other in topological order, depth first, and leaves out what cannot beat the incumbent
/// (Land, Doig, Econometrica 1960). Loads and bytes of a partial assignment only grow; to them come the priced load and the energy of what is
/// left, and the critical path through what is assigned. Of devices of a kind that hold nothing only one is tried. Not thread-safe.
/// </summary>
internal sealed class BranchAndBound
{
    /// <summary>Bounds this close to the incumbent are not searched: floating-point sums in another order differ by as much.</summary>
    private const double Tolerance = 1e-12;

    private readonly SearchState _state;
    private readonly PlacementModel _model;
    private readonly PlacementUnits _units;
    private readonly LowerBounds _bounds;
    private readonly DeviceKinds _kinds;
    private readonly WorkBudget _budget;
    private readonly Incumbent _incumbent;
    private readonly double[] _pricedRest;
    private readonly double[] _joulesRest;
    private readonly double[] _finished;
    private long _counted;
    private bool _isStopped;

    public BranchAndBound(SearchState state, LowerBounds bounds, DeviceKinds kinds, WorkBudget budget, Incumbent incumbent)
    {
        (_state, _bounds, _kinds, _budget, _incumbent) = (state, bounds, kinds, budget, incumbent);
        (_model, _units) = (state.Model, state.Units);
        _pricedRest = new double[_units.Count + 1];
        _joulesRest = new double[_units.Count + 1];
        for (int unit = _units.Count - 1; unit >= 0; unit--)
        {
            _pricedRest[unit] = _pricedRest[unit + 1] + bounds.CheapestPriced(unit);
            _joulesRest[unit] = _joulesRest[unit + 1] + bounds.CheapestJoules(unit);
        }
        _finished = new double[_model.LayerCount];
    }

    /// <summary>Searches until done or out of budget.</summary>
    /// <returns>What no plan's objective can be below: the incumbent's objective when done.</returns>
    public double Run()
    {
        var nothing = new int[_model.LayerCount];
        Array.Fill(nothing, PlacementLoads.Unassigned);
        _state.Loads.Reset(nothing);
        _counted = _state.Work;
        double proven = Search(0, 0, _bounds.Objective);
        return _isStopped ? Math.Min(proven, _incumbent.Objective) : _incumbent.Objective;
    }

    /// <param name="unit">The unit to assign.</param>
    /// <param name="path">Seconds of the longest path through what is assigned.</param>
    /// <param name="bound">What was proven for the node.</param>
    /// <returns>What no plan below the node can be below; the incumbent's objective at most.</returns>
    private double Search(int unit, double path, double bound)
    {
        if (unit == _units.Count)
            return Leaf();
        Branch[] branches = Branches(unit, path, bound);
        double proven = double.PositiveInfinity;
        foreach (Branch branch in branches)
        {
            if (branch.Bound >= _incumbent.Objective * (1 - Tolerance))
            {
                proven = Math.Min(proven, branch.Bound);
                continue;
            }
            if (!_budget.Spend(_state.Work - _counted + _model.DeviceCount))
            {
                _isStopped = true;
                return Math.Min(proven, branch.Bound);
            }
            _counted = _state.Work;
            _state.Move(unit, branch.Device);
            Finish(unit, branch.Device);
            proven = Math.Min(proven, Search(unit + 1, branch.Path, branch.Bound));
            _state.Move(unit, PlacementLoads.Unassigned);
        }
        return Math.Max(proven, bound);
    }

    private double Leaf()
    {
        if (!_state.IsFeasible())
            return double.PositiveInfinity;
        double objective = _state.Objective();
        _incumbent.Offer(_state.Loads.Assignment, objective);
        return objective;
    }

    private Branch[] Branches(int unit, double path, double bound)
    {
        var branches = new List<Branch>();
        foreach (int device in _units.Choices[unit])
        {
            if (IsDuplicate(device))
                continue;
            _state.Move(unit, device);
            // What is on a device only grows, so what does not fit now never will.
            if (_state.FitsPartly(device) && _state.HasDevicesToSpare)
            {
                double longest = Math.Max(path, Finish(unit, device));
                branches.Add(new Branch(device, longest, Math.Max(bound, Bound(unit + 1, longest))));
            }
            _state.Move(unit, PlacementLoads.Unassigned);
        }
        return [.. branches.OrderBy(static branch => branch.Bound)];
    }

    /// <summary>Whether an equal device, also empty, comes before a device.</summary>
    private bool IsDuplicate(int device)
    {
        if (_state.Loads.LayersOn[device] > 0)
            return false;
        foreach (int other in _kinds.Members[_kinds.KindOf[device]])
        {
            if (other >= device)
                return false;
            if (_state.Loads.LayersOn[other] == 0)
                return true;
        }
        return false;
    }

    /// <summary>Sets when the layers of a unit end at the earliest; returns when the request does.</summary>
    private double Finish(int unit, int device)
    {
        double longest = 0;
        foreach (int layer in _units.Layers[unit])
        {
            double start = 0;
            foreach (int value in _model.Graph.Inputs(layer))
            {
                int producer = _model.Graph.Producers[value];
                if (producer >= 0 && _state.Loads.Assignment[producer] >= 0)
                    start = Math.Max(start, _finished[producer] + _model.DeliverySeconds(value, _state.Loads.Assignment[producer], device));
                else if (producer < 0 && _model.Source >= 0)
                    start = Math.Max(start, _model.DeliverySeconds(value, _model.Source, device));
            }
            _finished[layer] = start + _model.SecondsOf(layer, device);
            longest = Math.Max(longest, _finished[layer] + _bounds.Paths.After(layer, device));
        }
        return longest;
    }

    private double Bound(int next, double path)
    {
        PlacementLoads loads = _state.Loads;
        double priced = _pricedRest[next];
        for (int device = 0; device < _model.DeviceCount; device++)
            priced += _bounds.Prices[device] * loads.Compute[device] / _model.Slots[device];
        return _model.Problem.CostModel.Combine(new PlanCost
        {
            LatencySeconds = Math.Max(path, priced),
            BottleneckSeconds = Math.Max(loads.Bottleneck(), priced),
            TransferredBytes = loads.TransferredBytes,
            EnergyJoules = loads.ActiveJoules() + _joulesRest[next],
            LoadImbalance = 0,
        }) * (1 - Tolerance);
    }

    private readonly record struct Branch(int Device, double Path, double Bound);
}
