namespace EdgeSplit.Partitioning.Internal;

/// <summary>
/// Plans with a small bottleneck, built device by device: each takes, of the units that are left, those worth most within a load that is
/// halved in on; what is left in the end goes where it raises the loads least, and local search follows.
/// </summary>
internal sealed class DevicePacking(SearchState state, DeviceKinds kinds, double[] prices)
{
    /// <summary>A load within this fraction of the bound is not worth another try.</summary>
    private const double Resolution = 5e-4;

    private const int MostRounds = 10;
    private const int MostBranches = 500;
    private const int FewestBranches = 12;

    /// <summary>Minimum cuts that a branch takes, about.</summary>
    private const int CutsPerBranch = 3;

    private readonly PlacementUnits _units = state.Units;
    private readonly int[] _order = [.. kinds.FastestFirst(state.Units).SelectMany(static members => members)];
    private readonly DeviceLoadCut[] _cuts = [.. kinds.Members.Select(members => new DeviceLoadCut(state.Model, state.Units, members[0]))];

    /// <summary>Offers what is better than the incumbent.</summary>
    /// <param name="incumbent">The best so far.</param>
    /// <param name="lowerBound">What no bottleneck is below, in seconds.</param>
    /// <param name="budget">The work.</param>
    public void Run(Incumbent incumbent, double lowerBound, WorkBudget budget)
    {
        state.Loads.Reset(incumbent.Assignment);
        double low = lowerBound;
        double high = state.Loads.Bottleneck();
        int branches = (int)Math.Min(MostBranches, budget.Total / (_cuts.Max(static cut => cut.WorkPerCut) * CutsPerBranch * _order.Length * MostRounds));
        if (branches < FewestBranches)
            return;
        for (int round = 0; round < MostRounds && high > low * (1 + Resolution) && !budget.IsOver; round++)
        {
            double load = (low + high) / 2;
            if (Pack(load, branches, budget) && state.IsFeasible())
            {
                incumbent.OfferBetter(state);
                Improve(budget);
            }
            else
            {
                low = load;
                if (FeasibilityRepair.Start(state, [.. state.Loads.Assignment]))
                    Improve(budget);
            }
            if (!state.IsFeasible())
                continue;
            incumbent.OfferBetter(state);
            high = Math.Min(high, state.Loads.Bottleneck());
        }
    }

    private void Improve(WorkBudget budget)
    {
        var search = new LocalSearch(state);
        while (!budget.IsOver && search.Pass(budget))
        {
        }
    }

    /// <summary>Whether every unit found a place within the load.</summary>
    private bool Pack(double load, int branches, WorkBudget budget)
    {
        var isTaken = new bool[_units.Count];
        var nothing = new int[state.Model.LayerCount];
        Array.Fill(nothing, PlacementLoads.Unassigned);
        state.Loads.Reset(nothing);
        foreach (int device in _order)
        {
            var knapsack = new DeviceKnapsack(_cuts[kinds.KindOf[device]], _units.Count);
            knapsack.Solve(prices, load, isTaken, branches, budget);
            bool[] chosen = knapsack.Found[^1];
            for (int unit = 0; unit < chosen.Length; unit++)
            {
                if (!chosen[unit])
                    continue;
                isTaken[unit] = true;
                state.Move(unit, device);
            }
        }
        bool isComplete = true;
        for (int unit = 0; unit < isTaken.Length; unit++)
        {
            if (isTaken[unit])
                continue;
            isComplete = false;
            PutAnywhere(unit, budget);
        }
        return isComplete;
    }

    private void PutAnywhere(int unit, WorkBudget budget)
    {
        long before = state.Work;
        int best = _units.Choices[unit][0];
        double least = double.PositiveInfinity;
        foreach (int device in _units.Choices[unit])
        {
            state.Move(unit, device);
            double loads = state.Loads.SmoothBottleneck();
            if (loads < least)
                (best, least) = (device, loads);
            state.Move(unit, PlacementLoads.Unassigned);
        }
        state.Move(unit, best);
        budget.Spend(state.Work - before);
    }
}
