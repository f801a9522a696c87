namespace EdgeSplit.Partitioning.Internal;

/// <summary>
/// Simulated annealing (Kirkpatrick, Gelatt, Vecchi, Science 1983) over moves of one unit or of a few that follow each other, mostly
/// to the device of a neighbour and mostly off the busiest device. Not thread-safe.
/// </summary>
internal sealed class Annealing
{
    private const double FirstTemperature = 0.01;
    private const double LastTemperature = 0.00002;
    private readonly SearchState _state;
    private readonly WorkBudget _budget;
    private readonly Random _random;
    private readonly int[][] _neighbours;
    private readonly List<int> _block = [];

    public Annealing(SearchState state, WorkBudget budget, Random random)
    {
        _state = state;
        _budget = budget;
        _random = random;
        PlacementUnits units = state.Units;
        CompiledGraph graph = state.Model.Graph;
        _neighbours = [.. Enumerable.Range(0, units.Count).Select(unit => units.Values[unit]
            .SelectMany(value => graph.Consumers(value).ToArray().Append(graph.Producers[value])).Where(static layer => layer >= 0)
            .Select(layer => units.UnitOf[layer]).Where(other => other != unit).Distinct().Take(16).ToArray())];
    }

    /// <summary>Searches from the state's assignment, and offers what is better than the incumbent.</summary>
    /// <param name="incumbent">The best so far.</param>
    /// <param name="work">The work to do.</param>
    public void Run(Incumbent incumbent, long work)
    {
        if (_state.Units.Count == 0 || _state.Model.DeviceCount == 1)
            return;
        double energy = _state.Score.SmoothObjective();
        double scale = energy;
        long start = _state.Work;
        double temperature = FirstTemperature * scale;
        long done = 0;
        while (done < work)
        {
            long before = _state.Work;
            if (!PickBlock(out int target))
            {
                done++;
                if (!_budget.Spend(1))
                    return;
                continue;
            }
            int home = _state.DeviceOf(_block[0]);
            foreach (int unit in _block)
                _state.Move(unit, target);
            double after = _state.FitsAfterMove(home, target) ? _state.Score.SmoothObjective() : double.PositiveInfinity;
            double rise = after - energy;
            if (rise <= 0 || _random.NextDouble() < Math.Exp(-rise / temperature))
            {
                energy = after;
                if (rise < 0)
                    incumbent.OfferBetter(_state);
            }
            else
            {
                foreach (int unit in _block)
                    _state.Move(unit, home);
            }
            long step = _state.Work - before + 4;
            done += step;
            temperature = scale * FirstTemperature * Math.Pow(LastTemperature / FirstTemperature, Math.Min(1, (double)done / work));
            if (!_budget.Spend(step))
                return;
        }
    }

    private bool PickBlock(out int target)
    {
        PlacementUnits units = _state.Units;
        int unit = _random.Next(units.Count);
        if (_random.Next(2) == 0)
        {
            int busiest = _state.Loads.Busiest();
            for (int attempt = 0; attempt < 8 && _state.DeviceOf(unit) != busiest; attempt++)
                unit = _random.Next(units.Count);
        }
        int home = _state.DeviceOf(unit);
        int[] neighbours = _neighbours[unit];
        target = neighbours.Length > 0 && _random.Next(4) != 0
            ? _state.DeviceOf(neighbours[_random.Next(neighbours.Length)])
            : units.Choices[unit][_random.Next(units.Choices[unit].Length)];
        _block.Clear();
        if (target == home || !units.IsAllowed(unit, target))
            return false;
        _block.Add(unit);
        int length = _random.Next(3) == 0 ? 1 + _random.Next(6) : 1;
        int direction = _random.Next(2) == 0 ? 1 : -1;
        for (int next = unit + direction; _block.Count < length && next >= 0 && next < units.Count; next += direction)
        {
            if (_state.DeviceOf(next) != home || !units.IsAllowed(next, target))
                break;
            _block.Add(next);
        }
        return true;
    }
}
