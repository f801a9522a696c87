namespace EdgeSplit.Partitioning.Internal;

/// <summary>
/// The bottleneck below which the devices cannot take all units: where, at some prices of units, what each device can take within a
/// load is worth less in all than the units are, no plan has that load. Prices come from the dual of the program that covers the units with such sets
/// (Dantzig, Wolfe, "Decomposition Principle for Linear Programs", Operations Research 1960), kept within limits around the best prices so
/// far (Marsten, Hogan, Blankenship, "The BOXSTEP Method", Operations Research 1975). Any prices give a valid bound.
/// </summary>
internal sealed class PackingBound
{
    /// <summary>The gap that is aimed at first.</summary>
    private const double FirstGap = 0.0095;

    /// <summary>What a bound is raised by must be worth the effort.</summary>
    private const double Resolution = 2e-4;

    /// <summary>By how much the devices' worth must stay below the units', against rounding.</summary>
    private const double Certainty = 1e-7;

    private const double FirstWidth = 0.02;
    private const double LargestWidth = 64;
    private const double FirstPart = 0.8;
    private const double NextPart = 0.4;
    private const int MostBranches = 400;

    /// <summary>Sets to begin with need not be the best.</summary>
    private const int FirstBranches = 6;

    private const int BranchGrowth = 4;

    /// <summary>Rounds that a part of the budget should last for.</summary>
    private const int FewestRounds = 6;

    private const int CutsPerBranch = 3;

    private readonly PlacementUnits _units;
    private readonly int[] _devices;
    private readonly DeviceLoadCut[] _cuts;
    private readonly List<(int Kind, int[] Units, double Load)> _sets = [];
    private readonly double _worth;
    private double[] _center;

    /// <param name="model">The model.</param>
    /// <param name="units">Its units.</param>
    /// <param name="kinds">The kinds of devices.</param>
    /// <param name="prices">The prices to start from.</param>
    public PackingBound(PlacementModel model, PlacementUnits units, DeviceKinds kinds, double[] prices)
    {
        (_units, _center) = (units, prices);
        _devices = [.. kinds.Members.Select(static members => members.Length)];
        _cuts = [.. kinds.Members.Select(members => new DeviceLoadCut(model, units, members[0]))];
        _worth = prices.Sum();
    }

    /// <summary>Raises a bound of the bottleneck, to near the best plan's where the budget allows.</summary>
    /// <param name="bound">The bound so far.</param>
    /// <param name="best">The bottleneck of the best plan known.</param>
    /// <param name="budget">The work.</param>
    public double Raise(double bound, double best, WorkBudget budget)
    {
        if (!(_worth > 0))
            return bound;
        double high = best;
        double aim = best / (1 + FirstGap);
        double part = FirstPart;
        while (!budget.IsOver && high > bound * (1 + Resolution))
        {
            double load = aim > bound && aim < high ? aim : (bound + high) / 2;
            aim = 0;
            if (IsTooLittle(load, budget.Part(part)))
                bound = load;
            else
                high = load;
            part = NextPart;
        }
        return bound;
    }

    /// <summary>Offers the sets of a plan.</summary>
    public void Add(ReadOnlySpan<int> assignment, DeviceKinds kinds)
    {
        for (int device = 0; device < kinds.KindOf.Length; device++)
        {
            var isOn = new bool[_units.Count];
            for (int layer = 0; layer < assignment.Length; layer++)
                isOn[_units.UnitOf[layer]] |= assignment[layer] == device;
            int[] units = [.. Enumerable.Range(0, isOn.Length).Where(unit => isOn[unit])];
            int kind = kinds.KindOf[device];
            if (units.Length > 0)
                _sets.Add((kind, units, _cuts[kind].LoadOf(isOn)));
        }
    }

    /// <summary>Whether it could be proven that no plan keeps within a load.</summary>
    private bool IsTooLittle(double load, WorkBudget budget)
    {
        int mostBranches = (int)Math.Min(MostBranches, budget.Total / (FewestRounds * CutsPerBranch * _cuts.Sum(static cut => cut.WorkPerCut)));
        if (mostBranches < 1)
            return false;
        int branches = Math.Min(FirstBranches, mostBranches);
        double width = FirstWidth;
        (double[] least, double[] most) = Limits(width);
        var program = new CoveringProgram(_devices, least, most);
        foreach ((int kind, int[] units, double setLoad) in _sets)
        {
            if (setLoad <= load)
                program.Add(kind, units);
        }
        double[] prices = _center;
        double bestMargin = double.NegativeInfinity;
        bool isAtDuals = false;
        while (!budget.IsOver)
        {
            double margin = Margin(prices, load, branches, budget, program, out bool isNew);
            if (margin > bestMargin)
                (bestMargin, _center) = (margin, prices);
            if (margin > Certainty * prices.Sum())
                return true;
            double cost = program.Solve(budget);
            if (!double.IsFinite(cost) || program.CoversAll)
                return false;
            if (isNew && cost - bestMargin > Certainty * _worth)
            {
                // Half way to the new prices, which jump.
                prices = [.. _center.Select((price, unit) => (price + Math.Max(0, program.Duals[unit])) / 2)];
                isAtDuals = false;
                continue;
            }
            if (!isAtDuals && cost - bestMargin > Certainty * _worth)
            {
                prices = [.. Enumerable.Range(0, _units.Count).Select(unit => Math.Max(0, program.Duals[unit]))];
                isAtDuals = true;
                continue;
            }
            isAtDuals = false;
            if (branches < mostBranches)
            {
                branches = Math.Min(mostBranches, BranchGrowth * branches);
                prices = _center;
                bestMargin = double.NegativeInfinity;
                continue;
            }
            // These are the best prices within the limits.
            width *= 2;
            if (width > LargestWidth)
                return false;
            (least, most) = Limits(width);
            program.SetLimits(least, most);
            program.Solve(budget);
            prices = [.. _center.Select((price, unit) => (price + Math.Max(0, program.Duals[unit])) / 2)];
        }
        return false;
    }

    /// <summary>How much more the units are worth than all that the devices can take; adds the sets that were found to the program.</summary>
    private double Margin(double[] prices, double load, int branches, WorkBudget budget, CoveringProgram program, out bool isNew)
    {
        isNew = false;
        double margin = prices.Sum();
        for (int kind = 0; kind < _cuts.Length; kind++)
        {
            var knapsack = new DeviceKnapsack(_cuts[kind], _units.Count);
            margin -= _devices[kind] * knapsack.Solve(prices, load, null, branches, budget);
            foreach (bool[] found in knapsack.Found.Concat(knapsack.Others))
            {
                int[] units = [.. Enumerable.Range(0, found.Length).Where(unit => found[unit])];
                if (units.Length == 0 || (_sets.Count > _cuts.Length && program.Gain(kind, units) <= Certainty * _worth))
                    continue;
                isNew = true;
                program.Add(kind, units);
                _sets.Add((kind, units, _cuts[kind].LoadOf(found)));
            }
        }
        return margin;
    }

    private (double[] Least, double[] Most) Limits(double width)
    {
        // Units without a price may get one too.
        double[] steps = [.. _center.Select(price => width * (price + (_worth / (2 * _units.Count))))];
        return ([.. _center.Select((price, unit) => Math.Max(0, price - steps[unit]))], [.. _center.Select((price, unit) => price + steps[unit])]);
    }
}
