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
    public PlanEvaluation Evaluate(ReadOnlySpan<int> assignment)
    {
        if (assignment.Length != _model.LayerCount)
            throw new ArgumentException($"The assignment names {assignment.Length} layers; model '{Problem.Graph.Name}' has {_model.LayerCount}.", nameof(assignment));
        foreach (int device in assignment)
        {
            if (device < 0 || device >= _model.DeviceCount)
                throw new ArgumentException($"The assignment names device {device}; the fleet has {_model.DeviceCount}.", nameof(assignment));
        }

        var loads = new PlacementLoads(_model);
        loads.Reset(assignment);
        var checker = new ConstraintChecker(_model);
        ImmutableArray<PlanViolation> violations = checker.Violations(loads);
        bool runs = !violations.Any(static violation => violation.Kind is PlanViolationKind.Unsupported or PlanViolationKind.IllegalCut);
        ImmutableArray<PlanStage> stages = [];
        var timeline = new List<TimelineEntry>();
        PlanCost cost = Infinite;
        if (runs)
        {
            var score = new PlacementScore(_model, loads);
            score.Grouping.Build(assignment);
            cost = score.Cost(PlanMeasures.All, score.Simulator.Run(loads.Assignment, timeline));
            var layerSeconds = new double[_model.LayerCount];
            for (int layer = 0; layer < layerSeconds.Length; layer++)
                layerSeconds[layer] = _model.SecondsOf(layer, assignment[layer]);
            stages = StageBuilder.Build(_model.Graph, score.Grouping, layerSeconds);
        }
        return new PlanEvaluation
        {
            Cost = cost,
            Objective = runs ? Problem.CostModel.Combine(cost) : double.PositiveInfinity,
            Stages = stages,
            Devices = [.. Enumerable.Range(0, _model.DeviceCount).Select(device => UsageOf(loads, checker, device))],
            Timeline = [.. timeline],
            Violations = violations,
        };
    }

    /// <summary>Makes a plan of an assignment.</summary>
    /// <param name="assignment">The position in the fleet of each layer's device.</param>
    /// <param name="partitioner">The name of what found it.</param>
    /// <param name="lowerBound">What no plan can be below, or null.</param>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NoFeasiblePlan"/>: the assignment breaks a constraint; the message says which.</exception>
    public PartitionPlan Create(ReadOnlySpan<int> assignment, string partitioner, double? lowerBound = null)
    {
        PlanEvaluation evaluation = Evaluate(assignment);
        if (!evaluation.IsFeasible)
        {
            throw new EdgeSplitException(EdgeSplitError.NoFeasiblePlan,
                $"The plan of '{partitioner}' for model '{Problem.Graph.Name}' breaks a constraint. {string.Join(" ", evaluation.Violations.Take(3).Select(static violation => violation.Message))}");
        }
        return new PartitionPlan
        {
            Graph = Problem.Graph,
            Fleet = Problem.Fleet,
            Assignment = [.. assignment],
            Stages = evaluation.Stages,
            Cost = evaluation.Cost,
            Objective = evaluation.Objective,
            LowerBound = lowerBound,
            Partitioner = partitioner,
        };
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
