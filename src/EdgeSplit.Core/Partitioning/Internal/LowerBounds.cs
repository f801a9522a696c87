using EdgeSplit.Costs;

namespace EdgeSplit.Partitioning.Internal;

/// <summary>
/// What no plan can be below, measure by measure; as no cost model's objective falls when a measure grows, their
/// combination bounds the objective.
/// </summary>
internal sealed class LowerBounds
{
    private readonly PlacementModel _model;
    private readonly PlacementUnits _units;

    public LowerBounds(PlacementModel model, PlacementUnits units, DeviceKinds kinds)
    {
        _model = model;
        _units = units;
        Prices = FluidPrices(out double bottleneck);
        BottleneckSeconds = Math.Max(bottleneck, CountingBound.BottleneckSeconds(model, units, kinds));
        Paths = new CriticalPath(model);
        LatencySeconds = Math.Max(Paths.LatencySeconds, bottleneck);
        EnergyJoules = Enumerable.Range(0, units.Count).Sum(CheapestJoules);
    }

    /// <summary>
    /// A price per second of each device, adding up to 1: an assignment's load at these prices is at most its bottleneck.
    /// </summary>
    public double[] Prices { get; }

    /// <summary>The least times along paths.</summary>
    public CriticalPath Paths { get; }

    public double BottleneckSeconds { get; private set; }

    /// <summary>Each device computes for no longer than a request lasts, so what bounds computing bounds the latency too.</summary>
    public double LatencySeconds { get; private set; }

    public double EnergyJoules { get; }

    /// <summary>What no plan's objective can be below.</summary>
    public double Objective => _model.Problem.CostModel.Combine(new PlanCost
    {
        LatencySeconds = LatencySeconds,
        BottleneckSeconds = BottleneckSeconds,
        TransferredBytes = 0,
        EnergyJoules = EnergyJoules,
        LoadImbalance = 0,
    });

    /// <summary>The least joules that computing a unit can take.</summary>
    public double CheapestJoules(int unit) => _units.Choices[unit].Min(device => _units.SecondsOf(unit, device) * _model.Devices[device].ActiveWatts);

    /// <summary>The least that a unit can add to the priced load of the devices.</summary>
    public double CheapestPriced(int unit) => _units.Choices[unit].Min(device => Prices[device] * _units.SecondsOf(unit, device) / _model.Slots[device]);

    /// <summary>Raises the bound of the bottleneck to what was proven elsewhere.</summary>
    public void ProveBottleneck(double seconds) => BottleneckSeconds = Math.Max(BottleneckSeconds, seconds);

    /// <summary>Raises the bound of the latency to what was proven elsewhere.</summary>
    public void ProveLatency(double seconds) => LatencySeconds = Math.Max(LatencySeconds, seconds);

    /// <summary>
    /// The dual of the linear program that may spread each unit over devices (Lenstra, Shmoys, Tardos, Math. Programming
    /// 1990, section 2, without transfers), approached by multiplicative weights: any prices give a valid bound.
    /// </summary>
    private double[] FluidPrices(out double bound)
    {
        int devices = _model.DeviceCount;
        const double Work = 20e6;
        int rounds = (int)Math.Clamp(Work / ((double)devices * (_units.Count + 1)), 10, 400);
        var prices = new double[devices];
        for (int device = 0; device < devices; device++)
            prices[device] = InitialPrice(device);
        Normalise(prices);
        var loads = new double[devices];
        double[] best = [.. prices];
        bound = 0;
        for (int round = 0; round < rounds; round++)
        {
            double value = Spread(prices, loads);
            if (value > bound)
            {
                bound = value;
                prices.CopyTo(best, 0);
            }
            double largest = loads.Max();
            if (!(largest > 0))
                break;
            double step = 0.5 / (1 + (0.2 * round));
            for (int device = 0; device < devices; device++)
                prices[device] *= Math.Exp(step * ((loads[device] / largest) - 0.5));
            Normalise(prices);
        }
        return best;
    }

    /// <summary>A price in proportion to the speed, which is right for devices that differ by a factor alone.</summary>
    private double InitialPrice(int device)
    {
        double seconds = 0;
        for (int unit = 0; unit < _units.Count; unit++)
            seconds += _units.IsAllowed(unit, device) ? _units.SecondsOf(unit, device) / _model.Slots[device] : 0;
        return seconds > 0 ? 1 / seconds : 1;
    }

    /// <summary>Puts each unit where it costs least; where several cost the same, it is shared between them.</summary>
    private double Spread(double[] prices, double[] loads)
    {
        Array.Clear(loads);
        double value = 0;
        for (int unit = 0; unit < _units.Count; unit++)
        {
            double least = double.PositiveInfinity;
            int ties = 0;
            foreach (int device in _units.Choices[unit])
            {
                double cost = prices[device] * _units.SecondsOf(unit, device) / _model.Slots[device];
                if (cost < least * (1 - 1e-9))
                    (least, ties) = (cost, 0);
                ties += cost <= least * (1 + 1e-9) ? 1 : 0;
            }
            value += least;
            foreach (int device in _units.Choices[unit])
            {
                double seconds = _units.SecondsOf(unit, device) / _model.Slots[device];
                if (prices[device] * seconds <= least * (1 + 1e-9))
                    loads[device] += seconds / ties;
            }
        }
        return value;
    }

    private static void Normalise(double[] prices)
    {
        double sum = prices.Sum();
        for (int device = 0; device < prices.Length; device++)
            prices[device] /= sum;
    }
}
