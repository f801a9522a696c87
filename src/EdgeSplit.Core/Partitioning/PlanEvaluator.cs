using System.Collections.Immutable;
using EdgeSplit.Costs;
using EdgeSplit.Partitioning.Internal;

namespace EdgeSplit.Partitioning;

/// <summary>Says what an assignment of layers to devices costs and which constraints it breaks: the judge of every partitioner.</summary>
/// <remarks>
/// <para>Latency is that of one request with nothing else in flight. Inputs start at the source device and results end there. A
/// stage starts when all of its inputs are on its device, which runs <see cref="Devices.Device.ConcurrentStages"/> at a time, first come
/// first served; its outputs exist when it ends. An activation travels once to each device that needs it. A device sends one
/// value at a time and receives one at a time; a transfer keeps its sender's uplink and its receiver's downlink for
/// <see cref="ICostModel.TransferSeconds"/>, and its value arrives a link latency later.</para>
/// <para>The bottleneck is the largest load of a device: its compute time over its concurrent stages, its sending or its receiving;
/// without <see cref="PartitionProblem.OverlapTransfers"/> the sum of the three. Energy is active power while a device
/// computes, idle power for the rest of the request's latency on devices that have a layer, and the joules per byte of links.
/// A cut costs what <see cref="Models.Activation.CutPenalty"/> says, on both sides.</para>
/// <para>Where requests take several routes in turn, each is judged as an assignment of its own; latency, bytes, and the times that devices
/// compute, send and receive are their means by share. The memory of a device holds the weights of all routes and the activations of the
/// largest; a device with a layer on any route draws idle power; and constraints hold on every route.</para>
/// <para>Thread-safe.</para>
/// </remarks>
public sealed class PlanEvaluator
{
    private readonly PlacementModel _model;

    /// <summary>Creates an evaluator for a problem.</summary>
    /// <exception cref="ArgumentException">The problem names devices or layers that do not exist, or its cost model gives a negative time.</exception>
    public PlanEvaluator(PartitionProblem problem)
        : this(new PlacementModel(problem ?? throw new ArgumentNullException(nameof(problem))))
    {
    }

    internal PlanEvaluator(PlacementModel model) => _model = model;

    /// <summary>The problem.</summary>
    public PartitionProblem Problem => _model.Problem;

    /// <summary>Evaluates an assignment.</summary>
    /// <param name="assignment">The position in the fleet of each layer's device.</param>
    /// <exception cref="ArgumentException">The assignment has another length than the model, or names a device that does not exist.</exception>
    public PlanEvaluation Evaluate(ReadOnlySpan<int> assignment) => Evaluate([new PlanRoute(1, [.. assignment])]);

    /// <summary>Evaluates routes that requests take in turn.</summary>
    /// <param name="routes">The routes, one at least, the one that most take first; their stages are not looked at.</param>
    /// <exception cref="ArgumentException">There is no route, their shares do not add up to 1, or an assignment has another length than the
    /// model or names a device that does not exist.</exception>
    public PlanEvaluation Evaluate(ImmutableArray<PlanRoute> routes)
    {
        Check(routes);
        var loads = new PlacementLoads(_model);
        if (routes.Length == 1)
            loads.Reset(routes[0].Assignment.AsSpan());
        else
            loads.Mix([.. routes.Select(route => (route.Share, LoadsOf(route.Assignment)))]);
        var checker = new ConstraintChecker(_model);
        ImmutableArray<PlanViolation> violations = checker.Violations(loads);
        bool runs = !violations.Any(static violation => violation.Kind is PlanViolationKind.Unsupported or PlanViolationKind.IllegalCut);
        var stages = new StageList();
        ImmutableArray<TimelineEntry> timeline = [];
        PlanCost cost = Infinite;
        if (runs)
        {
            var score = new PlacementScore(_model, loads);
            double latency = 0;
            for (int route = 0; route < routes.Length; route++)
            {
                int[] assignment = [.. routes[route].Assignment];
                score.Grouping.Build(assignment);
                List<TimelineEntry>? entries = route == 0 ? [] : null;
                latency += routes[route].Share * score.Simulator.Run(assignment, entries);
                stages.Add(routes[route], StageBuilder.Build(_model.Graph, score.Grouping, SecondsOf(assignment)));
                timeline = entries is null ? timeline : [.. entries];
            }
            cost = score.Cost(PlanMeasures.All, latency);
            routes = stages.Number();
            timeline = [.. timeline.Select(entry => entry.Kind == TimelineEntryKind.Compute ? entry with { Index = routes[0].Stages[entry.Index] } : entry)];
        }
        return new PlanEvaluation
        {
            Cost = cost,
            Objective = runs ? Problem.CostModel.Combine(cost) : double.PositiveInfinity,
            Stages = stages.Stages,
            Routes = routes,
            Devices = [.. Enumerable.Range(0, _model.DeviceCount).Select(device => UsageOf(loads, checker, device))],
            Timeline = timeline,
            Violations = violations,
        };
    }

    /// <summary>Makes a plan of an assignment.</summary>
    /// <param name="assignment">The position in the fleet of each layer's device.</param>
    /// <param name="partitioner">The name of what found it.</param>
    /// <param name="lowerBound">What no plan can be below, or null.</param>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NoFeasiblePlan"/>: the assignment breaks a constraint; the message says which.</exception>
    public PartitionPlan Create(ReadOnlySpan<int> assignment, string partitioner, double? lowerBound = null) =>
        Create([new PlanRoute(1, [.. assignment])], partitioner, lowerBound);

    /// <summary>Makes a plan of routes that requests take in turn.</summary>
    /// <param name="routes">The routes, as <see cref="Evaluate(ImmutableArray{PlanRoute})"/> takes them.</param>
    /// <param name="partitioner">The name of what found them.</param>
    /// <param name="lowerBound">What no plan can be below, or null.</param>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NoFeasiblePlan"/>: a constraint is broken; the message says which.</exception>
    public PartitionPlan Create(ImmutableArray<PlanRoute> routes, string partitioner, double? lowerBound = null)
    {
        PlanEvaluation evaluation = Evaluate(routes);
        if (!evaluation.IsFeasible)
        {
            throw new EdgeSplitException(EdgeSplitError.NoFeasiblePlan,
                $"The plan of '{partitioner}' for model '{Problem.Graph.Name}' breaks a constraint. {string.Join(" ", evaluation.Violations.Take(3).Select(static violation => violation.Message))}");
        }
        return new PartitionPlan
        {
            Graph = Problem.Graph,
            Fleet = Problem.Fleet,
            Assignment = evaluation.Routes[0].Assignment,
            Stages = evaluation.Stages,
            Routes = evaluation.Routes,
            Cost = evaluation.Cost,
            Objective = evaluation.Objective,
            LowerBound = lowerBound,
            Partitioner = partitioner,
        };
    }

    private void Check(ImmutableArray<PlanRoute> routes)
    {
        if (routes.IsDefaultOrEmpty || !routes.All(static route => route.Share > 0) || Math.Abs(routes.Sum(static route => route.Share) - 1) > 1e-6)
            throw new ArgumentException("A plan has a route at least, and the shares of its routes are above 0 and add up to 1.", nameof(routes));
        foreach (PlanRoute route in routes)
        {
            if (route.Assignment.Length != _model.LayerCount)
                throw new ArgumentException($"The assignment names {route.Assignment.Length} layers; model '{Problem.Graph.Name}' has {_model.LayerCount}.", nameof(routes));
            foreach (int device in route.Assignment)
            {
                if (device < 0 || device >= _model.DeviceCount)
                    throw new ArgumentException($"The assignment names device {device}; the fleet has {_model.DeviceCount}.", nameof(routes));
            }
        }
    }

    private PlacementLoads LoadsOf(ImmutableArray<int> assignment)
    {
        var loads = new PlacementLoads(_model);
        loads.Reset(assignment.AsSpan());
        return loads;
    }

    private double[] SecondsOf(int[] assignment)
    {
        var seconds = new double[_model.LayerCount];
        for (int layer = 0; layer < seconds.Length; layer++)
            seconds[layer] = _model.SecondsOf(layer, assignment[layer]);
        return seconds;
    }

    private static PlanCost Infinite => new()
    {
        LatencySeconds = double.PositiveInfinity,
        BottleneckSeconds = double.PositiveInfinity,
        TransferredBytes = long.MaxValue,
        EnergyJoules = double.PositiveInfinity,
        LoadImbalance = double.PositiveInfinity,
    };

    private DeviceUsage UsageOf(PlacementLoads loads, ConstraintChecker checker, int device) => new()
    {
        ComputeSeconds = loads.Compute[device],
        SendSeconds = loads.Up[device],
        ReceiveSeconds = loads.Down[device],
        LoadSeconds = loads.LoadOf(device),
        WeightBytes = loads.WeightBytes[device],
        ActivationBytes = loads.LayersOn[device] == 0 ? 0 : checker.ActivationBytes(loads, device),
        LayerCount = loads.LayersOn[device],
    };
}
