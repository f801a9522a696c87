using EdgeSplit.Devices;

namespace EdgeSplit.Partitioning.Internal;

/// <summary>
/// Devices that may change places in any plan without changing its cost or feasibility, by kind. Searches then need to
/// know only how many of a kind are in use. Immutable.
/// </summary>
internal sealed class DeviceKinds
{
    public DeviceKinds(PlacementModel model, PlacementUnits units)
    {
        KindOf = new int[model.DeviceCount];
        var kinds = new List<List<int>>();
        HashSet<int> held = [.. model.HeldAssignments.SelectMany(static assignment => assignment)];
        for (int device = 0; device < model.DeviceCount; device++)
        {
            bool isSpecial = device == model.Source || device == model.Relay || held.Contains(device);
            int kind = isSpecial ? -1 : kinds.FindIndex(members => AreEqual(model, units, members[0], device));
            if (kind < 0)
            {
                kind = kinds.Count;
                kinds.Add([]);
            }
            KindOf[device] = kind;
            kinds[kind].Add(device);
        }
        Members = [.. kinds.Select(static members => members.ToArray())];
    }

    /// <summary>The kind of each device.</summary>
    public int[] KindOf { get; }

    /// <summary>The devices of each kind, ascending.</summary>
    public int[][] Members { get; }

    /// <summary>The kinds with what may run most layers first, and of those the fastest.</summary>
    public int[][] FastestFirst(PlacementUnits units) => [.. Members
        .OrderByDescending(members => Enumerable.Range(0, units.Count).Count(unit => units.IsAllowed(unit, members[0])))
        .ThenBy(members => Enumerable.Range(0, units.Count).Where(unit => units.IsAllowed(unit, members[0])).Sum(unit => units.SecondsOf(unit, members[0])))];

    private static bool AreEqual(PlacementModel model, PlacementUnits units, int first, int second)
    {
        if (first == model.Source || first == model.Relay)
            return false;
        Device device = model.Devices[second];
        if (model.Devices[first] with { Id = device.Id } != device || model.LinkKind(first, second) != model.LinkKind(second, first))
            return false;
        for (int unit = 0; unit < units.Count; unit++)
        {
            if (units.SecondsOf(unit, first) != units.SecondsOf(unit, second) || units.IsAllowed(unit, first) != units.IsAllowed(unit, second))
                return false;
        }
        for (int other = 0; other < model.DeviceCount; other++)
        {
            if (other != first && other != second
                && (model.LinkKind(first, other) != model.LinkKind(second, other) || model.LinkKind(other, first) != model.LinkKind(other, second)))
                return false;
        }
        return true;
    }
}
