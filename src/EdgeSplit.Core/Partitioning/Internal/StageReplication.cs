using System.Collections.Immutable;
using EdgeSplit.Costs;

namespace EdgeSplit.Partitioning.Internal;

/// <summary>
/// Puts copies of the stages that limit a plan on further devices, with the shares of requests that are best. Stages with copies that take requests
/// in turn are PipeDream's (Narayanan et al., "PipeDream: Generalized Pipeline Parallelism for DNN Training", SOSP 2019, section 3), here on devices and
/// links that differ and found by column generation (Gilmore, Gomory, "A Linear Programming Approach to the Cutting-Stock Problem", Operations
/// Research 1961): a linear program shares requests over the routes known so far and prices what is scarce; a route with one stage moved elsewhere that costs
/// less than the mix at these prices is taken in; until none does. Not thread-safe.
/// </summary>
internal sealed class StageReplication
{
    private const int MostRounds = 64;

    /// <summary>Rounds without a gain before the search ends: with several bottlenecks one copy alone gains nothing yet.</summary>
    private const int MostIdleRounds = 6;

    /// <summary>New routes that are looked at together.</summary>
    private const int RoutesPerRound = 12;

    /// <summary>Copies are only worth their memory where they improve the objective by this share.</summary>
    private const double LeastGain = 0.005;

    private const double Rounding = 1e-9;

    private readonly PlacementModel _model;
    private readonly PlacementUnits _units;
    private readonly DeviceKinds _kinds;
    private readonly WorkBudget _budget;
    private readonly RouteMix _mix;
    private readonly SearchState _state;
    private readonly StageGrouping _grouping;

    public StageReplication(PlacementModel model, PlacementUnits units, DeviceKinds kinds, WorkBudget budget)
    {
        (_model, _units, _kinds, _budget) = (model, units, kinds, budget);
        _mix = new RouteMix(model);
        _state = new SearchState(model, units);
        _grouping = new StageGrouping(model.Graph);
    }

    /// <summary>Whether a problem allows copies of stages, and its objective could gain by them.</summary>
    public static bool IsWorthwhile(PlacementModel model) =>
        model.Problem.Constraints.MaximumReplicas > 1 && model.DeviceCount > 1 && model.Measures.HasFlag(PlanMeasures.Bottleneck);

    /// <summary>The best routes that are found from an assignment, from the fastest device alone, and from the current plan.</summary>
    /// <param name="best">The best feasible assignment that is known.</param>
    public ImmutableArray<PlanRoute> Run(ReadOnlySpan<int> best)
    {
        Route alone = _mix.RouteOf(best);
        (List<Route> Routes, double[] Shares) found = ([alone], [1.0]);
        double objective = _mix.Objective(found.Routes, found.Shares);
        foreach ((List<Route> Routes, double[] Shares) start in Starts(alone))
        {
            if (_budget.IsOver)
                break;
            (List<Route> routes, double[] shares, double reached) = Improve(start.Routes, start.Shares);
            // Copies cost memory, so a plan with them must be better by more than rounding.
            if (reached < objective * (1 - (found.Routes.Count == 1 ? LeastGain : Rounding)))
                (found, objective) = ((routes, shares), reached);
        }
        return [.. found.Routes.Select((route, index) => new PlanRoute(found.Shares[index], [.. route.Loads.Assignment]))];
    }

    private IEnumerable<(List<Route> Routes, double[] Shares)> Starts(Route best)
    {
        // Where a device has gone, what is left of the current plan are the routes without it.
        (double Share, int[] Assignment)[] left = [.. _model.CurrentRoutes.Where(route => IsAllowed(route.Assignment))];
        if (_model.CurrentRoutes.Length > 1 && left.Length > 0)
        {
            List<Route> current = [.. left.Select(route => _mix.RouteOf(route.Assignment))];
            double[] shares = [.. left.Select(route => route.Share / left.Sum(static other => other.Share))];
            if (_mix.IsFeasible(current, shares))
                yield return (current, shares);
        }
        yield return ([best], [1.0]);
        foreach (int[] kind in _kinds.FastestFirst(_units))
        {
            var whole = new int[_model.LayerCount];
            Array.Fill(whole, kind[0]);
            if (!IsAllowed(whole) || best.Loads.Assignment.AsSpan().SequenceEqual(whole))
                continue;
            Route route = _mix.RouteOf(whole);
            if (!_mix.IsFeasible([route], [1.0]))
                continue;
            yield return ([route], [1.0]);
            break;
        }
    }

    private bool IsAllowed(int[] assignment)
    {
        for (int layer = 0; layer < assignment.Length; layer++)
        {
            if (assignment[layer] < 0 || !_units.IsAllowed(_units.UnitOf[layer], assignment[layer]))
                return false;
        }
        return true;
    }

    private (List<Route> Routes, double[] Shares, double Objective) Improve(List<Route> routes, double[] shares)
    {
        (List<Route> Routes, double[] Shares) best = (routes, shares);
        double objective = _mix.Objective(routes, shares);
        List<Route> pool = [.. routes];
        int idle = 0;
        for (int round = 0; round < MostRounds && idle < MostIdleRounds && !_budget.IsOver; round++)
        {
            if (_mix.Balance(pool, _mix.Cost(best.Routes, best.Shares)) is not var (weights, value, prices))
                break;
            if (!AddRoutes(pool, [.. Enumerable.Range(0, pool.Count).Where(route => weights[route] > Rounding)], value, prices))
                break;
            (weights, _, _) = _mix.Balance(pool, _mix.Cost(best.Routes, best.Shares))!.Value;
            (List<Route> Routes, double[] Shares) next = RouteMix.Prune(pool, weights);
            double reached = _mix.Objective(next.Routes, next.Shares);
            if (reached < objective * (1 - LeastGain) && _mix.IsFeasible(next.Routes, next.Shares))
            {
                (best, objective, idle) = (next, reached, 0);
                pool = [.. next.Routes];
            }
            else
            {
                idle++;
            }
        }
        return (best.Routes, best.Shares, objective);
    }

    /// <summary>Adds the routes that cost least at some prices, as far as all of the pool could be in use together.</summary>
    private bool AddRoutes(List<Route> pool, int[] used, double value, double[] rowPrices)
    {
        LoadPrices prices = LoadPrices.Of(_model, rowPrices);
        HashSet<int> inUse = [.. pool.SelectMany(static route => route.Loads.Assignment)];
        var candidates = new List<(double Price, int Route, int[] Units, int Device)>();
        foreach (int route in used)
        {
            int[] assignment = pool[route].Loads.Assignment;
            _state.Loads.Reset(assignment);
            double own = value - prices.Of(_state.Loads);
            foreach (int[] units in StagesOf(assignment))
            {
                int home = assignment[_units.Layers[units[0]][0]];
                if (!(prices.Compute[home] > 0 || prices.Up[home] > 0 || prices.Down[home] > 0))
                    continue;
                for (int device = 0; device < _model.DeviceCount; device++)
                {
                    if (device == home || IsDuplicate(device, inUse) || !Array.TrueForAll(units, unit => _units.IsAllowed(unit, device)))
                        continue;
                    long before = _state.Work;
                    foreach (int unit in units)
                        _state.Move(unit, device);
                    // What the route costs beside its loads is taken to stay.
                    double price = prices.Of(_state.Loads) + own;
                    foreach (int unit in units)
                        _state.Move(unit, home);
                    if (price < value * (1 - 1e-6))
                        candidates.Add((price, route, units, device));
                    if (!_budget.Spend(_state.Work - before + _model.DeviceCount))
                        return false;
                }
            }
        }
        bool added = false;
        int tried = 0;
        foreach ((_, int route, int[] units, int device) in candidates.OrderBy(static candidate => candidate.Price))
        {
            if (tried++ == RoutesPerRound)
                break;
            int[] assignment = [.. pool[route].Loads.Assignment];
            foreach (int unit in units)
            {
                foreach (int layer in _units.Layers[unit])
                    assignment[layer] = device;
            }
            if (pool.Exists(known => known.Loads.Assignment.AsSpan().SequenceEqual(assignment)))
                continue;
            pool.Add(_mix.RouteOf(assignment));
            // The load that each allows shrinks with its share; equal shares stand for what memory and counts say.
            if (HasRoom(pool))
                added = true;
            else
                pool.RemoveAt(pool.Count - 1);
        }
        return added;
    }

    private bool HasRoom(List<Route> pool)
    {
        var shares = new double[pool.Count];
        Array.Fill(shares, 1.0 / pool.Count);
        return _mix.IsFeasible(pool, shares);
    }

    /// <summary>The units of each stage, and of each device with several.</summary>
    private List<int[]> StagesOf(int[] assignment)
    {
        _grouping.Build(assignment);
        var stages = new List<int[]>();
        foreach (IGrouping<int, int> device in Enumerable.Range(0, _model.LayerCount).GroupBy(layer => assignment[layer]))
        {
            int[][] own = [.. device.GroupBy(layer => _grouping.GroupOf[layer]).Select(stage => stage.Select(layer => _units.UnitOf[layer]).Distinct().ToArray())];
            stages.AddRange(own);
            if (own.Length > 1)
                stages.Add([.. own.SelectMany(static stage => stage).Distinct()]);
        }
        return stages;
    }

    /// <summary>Whether an equal device, also unused, comes before a device.</summary>
    private bool IsDuplicate(int device, HashSet<int> inUse)
    {
        if (inUse.Contains(device))
            return false;
        foreach (int other in _kinds.Members[_kinds.KindOf[device]])
        {
            if (other >= device)
                return false;
            if (!inUse.Contains(other))
                return true;
        }
        return false;
    }
}
