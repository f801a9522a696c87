using EdgeSplit.Costs;

namespace EdgeSplit.Partitioning.Internal;

/// <summary>
/// What no plan can be below where stages may have copies. At any prices of devices and links that add up to 1, the bottleneck of a mix of routes is
/// at least its priced load, and so at least the least priced load of any assignment. That is bounded by what a forest of the model's values costs:
/// each unit keeps the values from one of the units before it, all others travel for nothing, and then the best devices follow by dynamic
/// programming from the leaves. Prices are found by column generation (Dantzig, Wolfe, "Decomposition Principle for Linear Programs", Operations
/// Research 1960), which on a chain of layers ends at the best mix there is, memory left aside.
/// </summary>
internal sealed class ReplicationBound
{
    /// <summary>Above this many devices the square of them is too much, and only computing counts.</summary>
    private const int MostDevices = 32;

    private const int MostRounds = 80;

    /// <summary>Steps of the dynamic and the linear program that take as long as one unit of a budget.</summary>
    private const int StepsPerWork = 8;

    /// <summary>Rounds end when the bound is this close to what the mix of columns reaches.</summary>
    private const double Close = 1e-4;

    private readonly PlacementModel _model;
    private readonly PlacementUnits _units;
    private readonly int[] _parents;
    private readonly int[][] _children;
    private readonly int[][] _edgeValues;
    private readonly int[][] _inputValues;
    private readonly int[][] _outputValues;

    public ReplicationBound(PlacementModel model, PlacementUnits units)
    {
        (_model, _units) = (model, units);
        _parents = new int[units.Count];
        var edges = new List<int>[units.Count];
        var inputs = new List<int>[units.Count];
        var outputs = new List<int>[units.Count];
        for (int unit = 0; unit < units.Count; unit++)
            (edges[unit], inputs[unit], outputs[unit], _parents[unit]) = ([], [], [], -1);
        for (int value = 0; value < model.Graph.ValueCount; value++)
        {
            int producer = model.Graph.Producers[value];
            if (producer < 0 && model.Source >= 0 && !model.Graph.Consumers(value).IsEmpty)
                inputs[units.UnitOf[model.Graph.Consumers(value)[0]]].Add(value);
            // A value that goes back to the source and to a layer there travels once; it is counted on the way back.
            else if (producer >= 0 && model.Graph.IsOutput[value] && model.Source >= 0)
                outputs[units.UnitOf[producer]].Add(value);
            else if (producer >= 0)
                AddEdge(edges, value, units.UnitOf[producer]);
        }
        _edgeValues = [.. edges.Select(static list => list.ToArray())];
        _inputValues = [.. inputs.Select(static list => list.ToArray())];
        _outputValues = [.. outputs.Select(static list => list.ToArray())];
        _children = [.. Enumerable.Range(0, units.Count).Select(unit => Enumerable.Range(0, units.Count).Where(child => _parents[child] == unit).ToArray())];
    }

    /// <summary>What no plan's bottleneck can be below, copies of stages or not.</summary>
    public double BottleneckSeconds(LowerBounds bounds, WorkBudget budget)
    {
        // Computing alone, at the prices that are best for assignments.
        double bound = Enumerable.Range(0, _units.Count).Sum(bounds.CheapestPriced);
        if (_model.DeviceCount > MostDevices)
            return bound;
        var prices = new double[LoadPrices.RowCount(_model)];
        bounds.Prices.CopyTo(prices, 0);
        var columns = new List<double[]>();
        long work = (long)(_units.Count + _model.Graph.ValueCount) * _model.DeviceCount * (_model.DeviceCount + 1);
        for (int round = 0; round < MostRounds && budget.Spend((work + (prices.Length * (long)prices.Length * round)) / StepsPerWork); round++)
        {
            int[] devices = Cheapest(LoadPrices.Of(_model, prices), out double least);
            bound = Math.Max(bound, least);
            columns.Add(RowsOf(devices));
            if (columns[^1].Max() <= 0)
                return bound;
            (_, double value, prices) = MatrixGame.Solve(columns);
            if (bound >= value * (1 - Close))
                break;
        }
        return bound;
    }

    /// <summary>What no plan's objective can be below, copies of stages or not.</summary>
    public double Objective(LowerBounds bounds, WorkBudget budget)
    {
        double bottleneck = BottleneckSeconds(bounds, budget);
        return _model.Problem.CostModel.Combine(new PlanCost
        {
            // No request is done before its longest path is, and a mean of requests is not below all of them.
            LatencySeconds = Math.Max(bounds.Paths.LatencySeconds, Enumerable.Range(0, _units.Count).Sum(bounds.CheapestPriced)),
            BottleneckSeconds = bottleneck,
            TransferredBytes = 0,
            EnergyJoules = bounds.EnergyJoules,
            LoadImbalance = 0,
        });
    }

    private void AddEdge(List<int>[] edges, int value, int producer)
    {
        int chosen = -1;
        foreach (int consumer in _model.Graph.Consumers(value))
        {
            int unit = _units.UnitOf[consumer];
            // Values come in the order of the layers that make them, so the last parent is the nearest.
            if (unit > producer && (chosen < 0 || _parents[unit] == producer))
                chosen = unit;
        }
        if (chosen < 0)
            return;
        if (_parents[chosen] != producer)
        {
            long now = edges[chosen].Sum(known => _model.Graph.Bytes[known]);
            if (_parents[chosen] >= 0 && now >= _model.Graph.Bytes[value])
                return;
            _parents[chosen] = producer;
            edges[chosen].Clear();
        }
        edges[chosen].Add(value);
    }

    /// <summary>The assignment of units whose priced load is least where only the forest's values cost something.</summary>
    private int[] Cheapest(LoadPrices prices, out double least)
    {
        int devices = _model.DeviceCount;
        var costs = new double[_units.Count][];
        for (int unit = _units.Count - 1; unit >= 0; unit--)
        {
            costs[unit] = new double[devices];
            Array.Fill(costs[unit], double.PositiveInfinity);
            foreach (int device in _units.Choices[unit])
            {
                double cost = prices.Compute[device] * _units.SecondsOf(unit, device);
                foreach (int value in _inputValues[unit])
                    cost += Deliver(prices, value, _model.Source, device);
                foreach (int value in _outputValues[unit])
                    cost += Deliver(prices, value, device, _model.Source);
                foreach (int child in _children[unit])
                    cost += costs[child][BestChild(prices, costs, child, device, out double edge)] + edge;
                costs[unit][device] = cost;
            }
        }
        var assignment = new int[_units.Count];
        least = 0;
        for (int unit = 0; unit < _units.Count; unit++)
        {
            if (_parents[unit] >= 0)
            {
                assignment[unit] = BestChild(prices, costs, unit, assignment[_parents[unit]], out _);
                continue;
            }
            assignment[unit] = Array.IndexOf(costs[unit], costs[unit].Min());
            least += costs[unit][assignment[unit]];
        }
        return assignment;
    }

    private int BestChild(LoadPrices prices, double[][] costs, int child, int parentDevice, out double bestEdge)
    {
        int best = -1;
        double least = double.PositiveInfinity;
        bestEdge = 0;
        foreach (int device in _units.Choices[child])
        {
            if (costs[child][device] >= least)
                continue;
            double edge = 0;
            foreach (int value in _edgeValues[child])
                edge += Deliver(prices, value, parentDevice, device);
            if (costs[child][device] + edge < least)
                (best, least, bestEdge) = (device, costs[child][device] + edge, edge);
        }
        return best;
    }

    /// <summary>What the forest's loads of an assignment are, row by row.</summary>
    private double[] RowsOf(int[] devices)
    {
        double[] compute = new double[_model.DeviceCount], up = new double[_model.DeviceCount], down = new double[_model.DeviceCount];
        for (int unit = 0; unit < _units.Count; unit++)
        {
            compute[devices[unit]] += _units.SecondsOf(unit, devices[unit]);
            foreach (int value in _inputValues[unit])
                AddDelivery(up, down, value, _model.Source, devices[unit]);
            foreach (int value in _outputValues[unit])
                AddDelivery(up, down, value, devices[unit], _model.Source);
            foreach (int value in _edgeValues[unit])
                AddDelivery(up, down, value, devices[_parents[unit]], devices[unit]);
        }
        return LoadPrices.RowsOf(_model, compute, up, down);
    }

    private double Deliver(LoadPrices prices, int value, int from, int to)
    {
        if (from == to)
            return 0;
        double cost = 0;
        foreach ((int sender, int receiver) in Hops(from, to))
        {
            double seconds = _model.TransferSeconds(value, sender, receiver);
            cost += ((_model.Shared[sender] ? prices.Up[sender] : 0) + (_model.Shared[receiver] ? prices.Down[receiver] : 0)) * seconds;
        }
        return cost;
    }

    private void AddDelivery(double[] up, double[] down, int value, int from, int to)
    {
        if (from == to)
            return;
        foreach ((int sender, int receiver) in Hops(from, to))
        {
            double seconds = _model.TransferSeconds(value, sender, receiver);
            up[sender] += _model.Shared[sender] ? seconds : 0;
            down[receiver] += _model.Shared[receiver] ? seconds : 0;
        }
    }

    private (int From, int To)[] Hops(int from, int to) =>
        _model.IsRelayed(from, to) ? [(from, _model.Relay), (_model.Relay, to)] : [(from, to)];
}
