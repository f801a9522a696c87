using EdgeSplit.Costs;

namespace EdgeSplit.Partitioning.Internal;

/// <summary>Adds up the cost of the assignment that a <see cref="PlacementLoads"/> follows. Not thread-safe.</summary>
internal sealed class PlacementScore
{
    /// <summary>Devices that are added up as fast as one layer is walked.</summary>
    private const int DevicesPerWork = 4;

    private readonly PlacementModel _model;

    public PlacementScore(PlacementModel model, PlacementLoads loads)
    {
        _model = model;
        Loads = loads;
        Grouping = new StageGrouping(model.Graph);
        Simulator = new LatencySimulator(model, Grouping);
    }

    public PlacementLoads Loads { get; }

    public StageGrouping Grouping { get; }

    public LatencySimulator Simulator { get; }

    /// <summary>Work done by all costs so far: devices added up, and the layers and values that latency simulations walked.</summary>
    public long Work { get; private set; }

    /// <summary>The cost with the measures asked for; the others are 0.</summary>
    /// <param name="measures">What to work out.</param>
    /// <param name="latencySeconds">The latency where it is known already.</param>
    public PlanCost Cost(PlanMeasures measures, double? latencySeconds = null)
    {
        Work += _model.DeviceCount / DevicesPerWork;
        bool bottleneck = measures.HasFlag(PlanMeasures.Bottleneck);
        bool energy = measures.HasFlag(PlanMeasures.Energy);
        double latency = latencySeconds ?? (measures.HasFlag(PlanMeasures.Latency) || (energy && _model.HasIdlePower) ? Latency() : 0);
        return new PlanCost
        {
            LatencySeconds = latency,
            BottleneckSeconds = bottleneck ? Loads.Bottleneck() : 0,
            TransferredBytes = Loads.TransferredBytes,
            EnergyJoules = energy ? Loads.ActiveJoules() + IdleJoules(latency) : 0,
            LoadImbalance = measures.HasFlag(PlanMeasures.LoadImbalance) ? Loads.Imbalance() : 0,
        };
    }

    /// <summary>The number to minimise.</summary>
    public double Objective() => _model.Problem.CostModel.Combine(Cost(_model.Measures));

    /// <summary>The objective with a smoothed bottleneck, for searches to follow.</summary>
    public double SmoothObjective()
    {
        PlanCost cost = Cost(_model.Measures);
        return _model.Measures.HasFlag(PlanMeasures.Bottleneck)
            ? _model.Problem.CostModel.Combine(cost with { BottleneckSeconds = Loads.SmoothBottleneck() })
            : _model.Problem.CostModel.Combine(cost);
    }

    private double Latency()
    {
        Work += _model.LayerCount + _model.Graph.ValueCount;
        Grouping.Build(Loads.Assignment);
        return Simulator.Run(Loads.Assignment);
    }

    /// <summary>A device with a layer draws its idle power for as long as the request lasts and it does not compute; others may sleep.</summary>
    private double IdleJoules(double latency)
    {
        if (!_model.HasIdlePower)
            return 0;
        double joules = 0;
        for (int device = 0; device < _model.DeviceCount; device++)
        {
            if (Loads.LayersOn[device] > 0)
                joules += _model.Devices[device].IdleWatts * Math.Max(0, latency - Loads.Compute[device]);
        }
        return joules;
    }
}
