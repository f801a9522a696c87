using EdgeSplit.Costs;

namespace EdgeSplit.Partitioning.Internal;

/// <summary>An assignment that a mix may contain, with what it alone costs.</summary>
/// <param name="Loads">The assignment and its loads.</param>
/// <param name="Rows">Its loads, as <see cref="LoadPrices"/> has them in rows.</param>
/// <param name="LatencySeconds">Its latency; 0 where the objective does not need it.</param>
internal sealed record Route(PlacementLoads Loads, double[] Rows, double LatencySeconds);

/// <summary>Judges assignments that requests take in turn, and finds the shares that are best for the objective. Not thread-safe.</summary>
internal sealed class RouteMix(PlacementModel model)
{
    /// <summary>Routes that fewer requests take than this are left out: they would hold memory for next to nothing.</summary>
    private const double LeastShare = 0.01;

    /// <summary>By how much a measure is raised to see what that does to the objective.</summary>
    private const double Step = 1e-4;

    private readonly ConstraintChecker _checker = new(model);
    private readonly PlacementLoads _loads = new(model);
    private readonly StageGrouping _grouping = new(model.Graph);
    private LatencySimulator? _simulator;
    private PlacementScore? _score;

    /// <summary>An assignment as a route.</summary>
    public Route RouteOf(ReadOnlySpan<int> assignment)
    {
        var loads = new PlacementLoads(model);
        loads.Reset(assignment);
        double latency = 0;
        if (model.NeedsLatency)
        {
            _grouping.Build(assignment);
            latency = (_simulator ??= new LatencySimulator(model, _grouping)).Run(loads.Assignment);
        }
        return new Route(loads, LoadPrices.RowsOf(model, loads), latency);
    }

    /// <summary>Whether memory, the allowed load, the number of devices and that of replicas allow routes.</summary>
    public bool IsFeasible(IReadOnlyList<Route> routes, double[] shares)
    {
        Take(routes, shares);
        for (int device = 0; device < model.DeviceCount; device++)
        {
            if (!_checker.Fits(_loads, device))
                return false;
        }
        return !(_loads.UsedDevices() > model.Problem.Constraints.MaximumDevices) && _checker.HasReplicasToSpare(_loads.Assignments);
    }

    /// <summary>The cost of routes, with the measures that the objective needs.</summary>
    public PlanCost Cost(IReadOnlyList<Route> routes, double[] shares)
    {
        Take(routes, shares);
        return (_score ??= new PlacementScore(model, _loads)).Cost(model.Measures, routes.Select((route, index) => shares[index] * route.LatencySeconds).Sum());
    }

    public double Objective(IReadOnlyList<Route> routes, double[] shares) => model.Problem.CostModel.Combine(Cost(routes, shares));

    /// <summary>
    /// The shares that are best where the objective is taken as linear around a cost, and the prices of rows that go with them; null where the
    /// bottleneck does not matter to it.
    /// </summary>
    public (double[] Shares, double Value, double[] Prices)? Balance(IReadOnlyList<Route> routes, PlanCost around)
    {
        double bottleneck = Slope(around, around.BottleneckSeconds, static (cost, seconds) => cost with { BottleneckSeconds = seconds });
        if (!(bottleneck > 0) || routes.Any(static route => !(route.Rows.Max() > 0)))
            return null;
        double latency = Slope(around, around.LatencySeconds, static (cost, seconds) => cost with { LatencySeconds = seconds }) / bottleneck;
        double bytes = Slope(around, around.TransferredBytes, static (cost, count) => cost with { TransferredBytes = (long)Math.Ceiling(count) }) / bottleneck;
        double energy = Slope(around, around.EnergyJoules, static (cost, joules) => cost with { EnergyJoules = joules }) / bottleneck;
        // What a route costs beside its loads is the same in every row: shares add up to 1.
        double[][] columns = [.. routes.Select(route =>
        {
            double own = (latency * route.LatencySeconds) + (bytes * route.Loads.TransferredBytes) + (energy * route.Loads.ActiveJoules());
            return route.Rows.Select(seconds => seconds + own).ToArray();
        })];
        return MatrixGame.Solve(columns);
    }

    /// <summary>Leaves out what hardly any request takes.</summary>
    public static (List<Route> Routes, double[] Shares) Prune(IReadOnlyList<Route> routes, double[] shares)
    {
        int[] kept = [.. Enumerable.Range(0, routes.Count).Where(route => shares[route] >= LeastShare).OrderByDescending(route => shares[route])];
        double sum = kept.Sum(route => shares[route]);
        return ([.. kept.Select(route => routes[route])], [.. kept.Select(route => shares[route] / sum)]);
    }

    private double Slope(PlanCost cost, double measure, Func<PlanCost, double, PlanCost> with)
    {
        double step = Math.Max(measure * Step, 1e-9);
        PlanCost raised = with(cost, measure + step);
        if (raised == cost)
            return 0;
        double slope = (model.Problem.CostModel.Combine(raised) - model.Problem.CostModel.Combine(cost)) / step;
        return double.IsFinite(slope) && slope > 0 ? slope : 0;
    }

    private void Take(IReadOnlyList<Route> routes, double[] shares)
    {
        if (routes.Count == 1)
            _loads.Reset(routes[0].Loads.Assignment);
        else
            _loads.Mix([.. routes.Select((route, index) => (shares[index], route.Loads))]);
    }
}
