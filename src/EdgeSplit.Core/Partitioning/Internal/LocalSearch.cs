namespace EdgeSplit.Partitioning.Internal;

/// <summary>Moves one unit at a time to the device where the objective is lowest.</summary>
internal sealed class LocalSearch(SearchState state)
{
    /// <summary>How many devices that hold nothing are tried for a unit.</summary>
    private const int MostUnusedDevices = 16;

    /// <summary>Less gain than this share of the objective is rounding.</summary>
    private const double SmallestGain = 1e-12;

    private double _objective = state.Objective();

    /// <summary>Tries every unit once.</summary>
    /// <returns>Whether a unit was moved; false when the budget ran out.</returns>
    public bool Pass(WorkBudget budget)
    {
        bool moved = false;
        for (int unit = 0; unit < state.Units.Count; unit++)
        {
            long before = state.Work;
            moved |= Improve(unit);
            if (!budget.Spend(state.Work - before))
                return false;
        }
        return moved;
    }

    private bool Improve(int unit)
    {
        int home = state.DeviceOf(unit);
        int best = home;
        double lowest = _objective - (SmallestGain * Math.Abs(_objective));
        int unused = 0;
        foreach (int device in state.Units.Fastest[unit])
        {
            if (device == home || (state.Loads.LayersOn[device] == 0 && ++unused > MostUnusedDevices))
                continue;
            state.Move(unit, device);
            if (state.FitsAfterMove(home, device))
            {
                double objective = state.Objective();
                if (objective < lowest)
                    (best, lowest) = (device, objective);
            }
            state.Move(unit, home);
        }
        if (best == home)
            return false;
        state.Move(unit, best);
        _objective = lowest;
        return true;
    }
}
