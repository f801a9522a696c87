using EdgeSplit.Costs;

namespace EdgeSplit.Partitioning.Internal;

/// <summary>The minimum cuts of a problem between pairs of devices that promise most.</summary>
internal static class TwoDeviceCuts
{
    private const int MostFastDevices = 4;

    /// <summary>One assignment per pair and per measure that adds up over layers: the time without overlap, and the energy where it counts.</summary>
    public static IEnumerable<int[]> Of(SearchState state)
    {
        PlacementModel model = state.Model;
        PlacementUnits units = state.Units;
        int[] devices = Candidates(model, units);
        for (int i = 0; i < devices.Length; i++)
        {
            for (int j = i + 1; j < devices.Length; j++)
            {
                if (ByTime(model, units, devices[i], devices[j]) is { } byTime)
                    yield return byTime.Assignment;
                if (model.Measures.HasFlag(PlanMeasures.Energy) && ByEnergy(model, units, devices[i], devices[j]) is { } byEnergy)
                    yield return byEnergy.Assignment;
            }
        }
    }

    /// <summary>The least sum of all layer and transfer times.</summary>
    public static (int[] Assignment, double Cost)? ByTime(PlacementModel model, PlacementUnits units, int first, int second)
    {
        return TwoDeviceCut.Solve(model, units, first, second, model.SecondsOf, model.DeliverySeconds);
    }

    /// <summary>The least active energy: no assignment to the two devices has less.</summary>
    public static (int[] Assignment, double Cost)? ByEnergy(PlacementModel model, PlacementUnits units, int first, int second)
    {
        return TwoDeviceCut.Solve(model, units, first, second,
            (layer, device) => model.SecondsOf(layer, device) * model.Devices[device].ActiveWatts,
            (value, from, to) => model.Graph.Bytes[value] * (model.IsRelayed(from, to)
                ? model.JoulesPerByte(from, model.Relay) + model.JoulesPerByte(model.Relay, to)
                : model.JoulesPerByte(from, to)));
    }

    private static int[] Candidates(PlacementModel model, PlacementUnits units)
    {
        IEnumerable<int> fastest = new DeviceKinds(model, units).FastestFirst(units).SelectMany(static kind => kind.Take(2)).Take(MostFastDevices);
        IEnumerable<int> special = Enumerable.Range(0, model.DeviceCount).Where(device => device == model.Source || model.Devices[device].IsCoordinator);
        return [.. special.Concat(fastest).Distinct().Take(MostFastDevices + 1)];
    }
}
