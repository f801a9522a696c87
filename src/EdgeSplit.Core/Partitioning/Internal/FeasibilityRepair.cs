namespace EdgeSplit.Partitioning.Internal;

/// <summary>
/// Makes an assignment satisfy memory, load and the number of devices: what does not fit goes to the coordinator, or else
/// to the device that runs it fastest of those with room.
/// </summary>
internal static class FeasibilityRepair
{
    private const int MostSearchSteps = 200_000;

    private const int MostSearchedUnits = 200;

    /// <summary>Starts a search from an assignment, repaired where needed.</summary>
    /// <param name="state">The state to set.</param>
    /// <param name="assignment">The device of each layer; devices that a unit may not be on, and -1, are replaced.</param>
    /// <returns>False where the repair failed; <paramref name="state"/> then holds the last attempt.</returns>
    public static bool Start(SearchState state, ReadOnlySpan<int> assignment)
    {
        PlacementUnits units = state.Units;
        int[] start = assignment.ToArray();
        for (int unit = 0; unit < units.Count; unit++)
        {
            int device = start[units.Layers[unit][0]];
            if (device < 0 || !units.IsAllowed(unit, device))
                device = units.Fastest[unit][0];
            foreach (int layer in units.Layers[unit])
                start[layer] = device;
        }
        state.Loads.Reset(start);
        return state.IsFeasible() || (DropDevices(state) && Relieve(state)) || OnOneDevice(state) || Pack(state) || Search(state);
    }

    /// <summary>As <see cref="Start"/>, but throws where there is no way.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NoFeasiblePlan"/>: no feasible assignment was found.</exception>
    public static void Require(SearchState state, ReadOnlySpan<int> assignment)
    {
        if (!Start(state, assignment))
            throw state.NoFeasiblePlan();
    }

    /// <summary>Empties the least used devices until no more are in use than allowed.</summary>
    private static bool DropDevices(SearchState state)
    {
        PlacementUnits units = state.Units;
        while (!state.HasDevicesToSpare)
        {
            bool dropped = false;
            foreach (int device in Enumerable.Range(0, state.Model.DeviceCount).Where(device => state.Loads.LayersOn[device] > 0).OrderBy(device => state.Loads.Compute[device]).ToArray())
            {
                int[] onDevice = [.. Enumerable.Range(0, units.Count).Where(unit => state.DeviceOf(unit) == device)];
                if (!Array.TrueForAll(onDevice, unit => Array.Exists(units.Choices[unit], other => other != device && state.Loads.LayersOn[other] > 0)))
                    continue;
                foreach (int unit in onDevice)
                    state.Move(unit, Array.Find(units.Fastest[unit], other => other != device && state.Loads.LayersOn[other] > 0));
                dropped = true;
                break;
            }
            if (!dropped)
                return false;
        }
        return true;
    }

    /// <summary>Moves units off devices that hold too much, the largest first.</summary>
    private static bool Relieve(SearchState state)
    {
        PlacementUnits units = state.Units;
        for (int device = 0; device < state.Model.DeviceCount; device++)
        {
            if (state.FitsAtOnce(device))
                continue;
            foreach (int unit in Enumerable.Range(0, units.Count).Where(unit => state.DeviceOf(unit) == device).OrderByDescending(units.WeightBytes).ToArray())
            {
                foreach (int target in InOrderOfRefuge(state, unit))
                {
                    state.Move(unit, target);
                    if (state.FitsAtOnce(target) && state.HasDevicesToSpare)
                        break;
                    state.Move(unit, device);
                }
                if (state.FitsAtOnce(device))
                    break;
            }
        }
        return state.IsFeasible();
    }

    private static bool OnOneDevice(SearchState state)
    {
        PlacementUnits units = state.Units;
        var assignment = new int[state.Model.LayerCount];
        foreach (int device in units.Choices.Aggregate(static (common, choices) => [.. common.Intersect(choices)]))
        {
            Array.Fill(assignment, device);
            state.Loads.Reset(assignment);
            if (state.IsFeasible())
                return true;
        }
        return false;
    }

    /// <summary>Places all units anew, the largest weights first, each where it fits and, of those, where least is taken.</summary>
    private static bool Pack(SearchState state)
    {
        PlacementUnits units = state.Units;
        var nothing = new int[state.Model.LayerCount];
        Array.Fill(nothing, PlacementLoads.Unassigned);
        state.Loads.Reset(nothing);
        bool all = true;
        foreach (int unit in Enumerable.Range(0, units.Count).OrderBy(unit => units.Choices[unit].Length).ThenByDescending(units.WeightBytes))
        {
            bool placed = false;
            foreach (int device in units.Choices[unit].OrderBy(device => state.Loads.LayersOn[device] == 0).ThenBy(device => state.Loads.LoadOf(device)))
            {
                state.Move(unit, device);
                placed = state.FitsAtOnce(device) && state.HasDevicesToSpare;
                if (placed)
                    break;
                state.Move(unit, PlacementLoads.Unassigned);
            }
            if (!placed)
                state.Move(unit, units.Fastest[unit][0]);
            all &= placed;
        }
        return all && state.IsFeasible();
    }

    /// <summary>Tries every placement of a small problem, the largest weights first; larger ones up to a number of steps.</summary>
    private static bool Search(SearchState state)
    {
        var nothing = new int[state.Model.LayerCount];
        Array.Fill(nothing, PlacementLoads.Unassigned);
        int[] last = [.. state.Loads.Assignment];
        state.Loads.Reset(nothing);
        int[] order = [.. Enumerable.Range(0, state.Units.Count).OrderBy(unit => state.Units.Choices[unit].Length).ThenByDescending(state.Units.WeightBytes)];
        int steps = MostSearchSteps;
        if (order.Length <= MostSearchedUnits && Place(state, order, 0, ref steps))
            return true;
        state.Loads.Reset(last);
        return false;
    }

    private static bool Place(SearchState state, int[] order, int next, ref int steps)
    {
        if (next == order.Length)
            return state.IsFeasible();
        foreach (int device in state.Units.Choices[order[next]])
        {
            if (--steps < 0)
                return false;
            state.Move(order[next], device);
            if (state.FitsPartly(device) && state.HasDevicesToSpare && Place(state, order, next + 1, ref steps))
                return true;
            state.Move(order[next], PlacementLoads.Unassigned);
        }
        return false;
    }

    private static IEnumerable<int> InOrderOfRefuge(SearchState state, int unit)
    {
        int from = state.DeviceOf(unit);
        return state.Units.Fastest[unit].Where(device => device != from).OrderBy(device => !state.Model.Devices[device].IsCoordinator);
    }
}
