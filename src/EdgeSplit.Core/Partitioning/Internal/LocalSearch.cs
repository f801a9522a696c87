namespace EdgeSplit.Partitioning.Internal;

/// <summary>Moves one unit at a time to the device where the objective is lowest.</summary>
internal sealed class LocalSearch
{
    /// <summary>How many devices that hold nothing are tried for a unit.</summary>
    private const int MostUnusedDevices = 16;

    /// <summary>Less gain than this share of the objective is rounding.</summary>
    private const double SmallestGain = 1e-12;

    /// <summary>Where a pass that plays a request for every unit and device would walk more layers than this, only promising moves are tried.</summary>
    private const double MostLayersPerPass = 2e7;

    private readonly SearchState _state;
    private readonly bool _onlyToNeighbours;
    private double _objective;
    private bool _isBackward;

    public LocalSearch(SearchState state)
    {
        _state = state;
        _objective = state.Objective();
        _onlyToNeighbours = state.Model.NeedsLatency && (double)state.Units.Count * state.Model.DeviceCount * state.Model.LayerCount > MostLayersPerPass;
    }

    /// <summary>Tries every unit once, in the order of the model and in the opposite order by turns, so that boundaries can travel both ways.</summary>
    /// <returns>Whether a unit was moved; false when the budget ran out.</returns>
    public bool Pass(WorkBudget budget)
    {
        bool moved = false;
        for (int i = 0; i < _state.Units.Count; i++)
        {
            long before = _state.Work;
            moved |= Improve(_isBackward ? _state.Units.Count - 1 - i : i);
            if (!budget.Spend(_state.Work - before + 1))
                return false;
        }
        _isBackward = !_isBackward;
        return moved;
    }

    private bool Improve(int unit)
    {
        int home = _state.DeviceOf(unit);
        int best = home;
        double lowest = _objective - (SmallestGain * Math.Abs(_objective));
        int unused = 0;
        foreach (int device in _state.Units.Fastest[unit])
        {
            if (device == home || (_state.Loads.LayersOn[device] == 0 && ++unused > MostUnusedDevices))
                continue;
            if (_onlyToNeighbours && !HasNeighbourOn(unit, device))
                continue;
            _state.Move(unit, device);
            if (_state.FitsAfterMove(home, device))
            {
                double objective = _state.Objective();
                if (objective < lowest)
                    (best, lowest) = (device, objective);
            }
            _state.Move(unit, home);
        }
        if (best == home)
            return false;
        _state.Move(unit, best);
        _objective = lowest;
        return true;
    }

    /// <summary>Whether a unit reads from or is read on a device; elsewhere a move makes two cuts more.</summary>
    private bool HasNeighbourOn(int unit, int device)
    {
        foreach (int value in _state.Units.Values[unit])
        {
            int producer = _state.Model.Graph.Producers[value];
            if (producer >= 0 && _state.Loads.Assignment[producer] == device)
                return true;
            foreach (int consumer in _state.Model.Graph.Consumers(value))
            {
                if (_state.Loads.Assignment[consumer] == device)
                    return true;
            }
        }
        return false;
    }
}
