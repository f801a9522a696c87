using EdgeSplit.Costs;
using EdgeSplit.Partitioning.Internal;
using Google.OrTools.Sat;

namespace EdgeSplit.OrTools.Internal;

/// <summary>
/// What a program minimises: the weighted sum of a <see cref="WeightedCostModel"/>, or else the bottleneck where the cost model looks at it, or
/// else the latency. A cost model of a user's own is bounded by that one measure, as its objective never falls when a measure grows.
/// </summary>
internal sealed class ProgramObjective
{
    /// <summary>Weights and summands are whole multiples of 1 over this.</summary>
    private const double Fraction = 1e5;

    private const long MostTicks = 1L << 45;

    /// <summary>The largest factor of a measure whose range is not known, so that products fit 64 bits.</summary>
    private const long MostFactor = 1L << 12;

    private readonly CpModel _program;
    private readonly PlacementModel _model;
    private readonly WeightedCostOptions? _weights;
    private readonly TickScale _whole;
    private readonly double _knownObjective = double.PositiveInfinity;
    private readonly LinearExprBuilder _sum = LinearExpr.NewBuilder();

    public ProgramObjective(CpModel program, PlacementModel model, PlanCost? known)
    {
        (_program, _model) = (program, model);
        PlanMeasures measures = model.Measures;
        bool isOne = measures is PlanMeasures.Bottleneck or PlanMeasures.Latency;
        _weights = isOne ? null : (model.Problem.CostModel as WeightedCostModel)?.Options;
        HasBottleneck = measures.HasFlag(PlanMeasures.Bottleneck);
        NeedsLatency = _weights is not null ? model.NeedsLatency : !HasBottleneck;
        IsBottleneckAlone = measures == PlanMeasures.Bottleneck;
        double guess = 0;
        for (int layer = 0; layer < model.LayerCount; layer++)
            guess += Enumerable.Range(0, model.DeviceCount).Min(device => model.SecondsOf(layer, device));
        Seconds = TickScale.For(known is null ? guess : IsBottleneckAlone ? known.Value.BottleneckSeconds : Math.Max(known.Value.LatencySeconds, known.Value.BottleneckSeconds));
        if (known is PlanCost cost)
            _knownObjective = model.Problem.CostModel.Combine(cost);
        _whole = new TickScale(TickScale.For(known is null ? guess : _knownObjective).Tick / Fraction);
        Bottleneck = program.NewIntVar(0, _weights is not null ? Range(_weights.Load) : known is not null && IsBottleneckAlone ? Seconds.Ceiling(known.Value.BottleneckSeconds) : MostTicks, "bottleneck");
        Latency = program.NewIntVar(0, _weights is null ? MostTicks : Range(_weights.Latency), "latency");
    }

    /// <summary>The scale of all times.</summary>
    public TickScale Seconds { get; }

    /// <summary>In ticks, at least the largest load.</summary>
    public IntVar Bottleneck { get; }

    /// <summary>In ticks, at least the end of every layer.</summary>
    public IntVar Latency { get; }

    public bool HasBottleneck { get; }

    public bool NeedsLatency { get; }

    public bool IsBottleneckAlone { get; }

    /// <summary>Whether devices that wait cost something.</summary>
    public bool HasIdlePower => _weights is { Energy: > 0 } && _model.HasIdlePower;

    /// <summary>Adds what a value's transfer costs apart from time, where a literal holds.</summary>
    public void AddTransfer(BoolVar isSent, long bytes, double joulesPerByte)
    {
        if (_weights is not null)
            AddCost(isSent, (_weights.Bandwidth * bytes / _weights.ReferenceBytesPerSecond) + (_weights.Energy * bytes * joulesPerByte / _weights.ReferenceWatts));
    }

    /// <summary>Adds the active energy of computing, where a literal holds.</summary>
    public void AddCompute(BoolVar isComputed, double seconds, int device)
    {
        if (_weights is not null)
            AddCost(isComputed, _weights.Energy * seconds * _model.Devices[device].ActiveWatts / _weights.ReferenceWatts);
    }

    /// <summary>Ticks that a device waits, at their cost in idle energy.</summary>
    public IntVar AddIdle(int device)
    {
        double weight = _weights!.Energy * _model.Devices[device].IdleWatts / _weights.ReferenceWatts;
        IntVar ticks = _program.NewIntVar(0, Range(weight), "");
        AddMeasure(ticks, weight);
        return ticks;
    }

    public void Minimise()
    {
        if (_weights is null)
        {
            _program.Minimize(HasBottleneck ? Bottleneck : Latency);
            return;
        }
        AddMeasure(Latency, _weights.Latency);
        AddMeasure(Bottleneck, _weights.Load);
        _program.Minimize(_sum);
    }

    /// <summary>What no plan's objective can be below when the program's cannot be below a number.</summary>
    public double Bound(double programBound)
    {
        // The solver's bound is that of whole numbers; less what its own floating point may have added.
        double ticks = Math.Max(0, Math.Ceiling((programBound * (1 - 1e-12)) - 1e-4));
        if (_weights is not null)
            return ticks * _whole.Tick * (1 - 1e-12);
        double seconds = ticks * Seconds.Tick * (1 - 1e-12);
        return _model.Problem.CostModel.Combine(new PlanCost
        {
            LatencySeconds = HasBottleneck ? 0 : seconds,
            BottleneckSeconds = HasBottleneck ? seconds : 0,
            TransferredBytes = 0,
            EnergyJoules = 0,
            LoadImbalance = 0,
        });
    }

    /// <summary>More ticks of a measure than a plan has that is better than the one known: no other part of the cost is below 0.</summary>
    private long Range(double weight) =>
        weight > 0 && double.IsFinite(_knownObjective) ? Math.Min(MostTicks, Seconds.Ceiling(_knownObjective / weight) + 1) : MostTicks;

    private void AddMeasure(IntVar ticks, double weight)
    {
        long factor = _whole.Floor(weight * Seconds.Tick);
        if (!double.IsFinite(_knownObjective))
            factor = Math.Min(factor, MostFactor);
        if (factor > 0)
            _sum.AddTerm(ticks, factor);
    }

    private void AddCost(IntVar literal, double cost)
    {
        long ticks = _whole.Floor(cost);
        if (ticks > 0)
            _sum.AddTerm(literal, ticks);
    }
}
