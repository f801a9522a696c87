namespace EdgeSplit.Partitioning.Internal;

/// <summary>
/// The bottleneck that one unit alone forces: whatever else is on its device, computing that and exchanging values with the rest
/// keeps the device busy for at least a minimum cut.
/// </summary>
internal sealed class ClusterBound(PlacementModel model, PlacementUnits units, DeviceKinds kinds)
{
    /// <summary>With overlap, the shares of computing in the means that are tried.</summary>
    private static readonly double[] ComputeShares = [0.2, 0.5];

    private readonly DeviceLoadCut[][] _cuts = [.. kinds.Members.Select(members =>
        (model.Overlap ? ComputeShares : [1.0]).Select(share => new DeviceLoadCut(model, units, members[0], share)).ToArray())];

    /// <summary>Raises a bound of the bottleneck unit by unit, those first that could raise it most.</summary>
    public double Raise(double bound, WorkBudget budget)
    {
        var choices = new sbyte[units.Count];
        var set = new bool[units.Count];
        foreach ((int unit, double most) in Enumerable.Range(0, units.Count).Select(unit => (unit, Alone(unit))).OrderByDescending(static pair => pair.Item2))
        {
            // The unit alone on its device is one of the sets that the minimum is over.
            if (most <= bound)
                break;
            double least = double.PositiveInfinity;
            choices[unit] = 1;
            foreach (DeviceLoadCut[] cuts in _cuts)
            {
                if (least <= bound || !cuts[0].IsAllowed(unit))
                    continue;
                double load = 0;
                foreach (DeviceLoadCut cut in cuts)
                {
                    long before = cut.Work;
                    load = Math.Max(load, cut.Minimise(null, choices, set));
                    if (!budget.Spend(cut.Work - before))
                        return bound;
                }
                least = Math.Min(least, load);
            }
            choices[unit] = 0;
            bound = Math.Max(bound, least);
        }
        return bound;
    }

    /// <summary>The least load of a device with a unit alone on it: no minimum for the unit is above.</summary>
    private double Alone(int unit)
    {
        var set = new bool[units.Count];
        set[unit] = true;
        return _cuts.Where(cuts => cuts[0].IsAllowed(unit)).Min(cuts => cuts.Max(cut => cut.LoadOf(set)));
    }
}
