using EdgeSplit.Partitioning;

namespace EdgeSplit.Benchmarks.Placement;

/// <summary>
/// Carries a plan of the library over to the reference's latency: annealing over moves of colocated nodes to the device of a
/// neighbour, with that evaluator.
/// </summary>
internal sealed class LatencyRefinement
{
    private const double FirstTemperature = 0.02;
    private const double LastTemperature = 0.0001;
    private readonly AcceleratorWorkload _workload;
    private readonly AcceleratorLatency _latency;
    private readonly Random _random = new(1);
    private readonly int[][] _groups;
    private readonly int[][] _neighbours;
    private readonly bool[] _mayAccelerate;

    public LatencyRefinement(AcceleratorWorkload workload, PartitionProblem problem, AcceleratorLatency latency)
    {
        (_workload, _latency) = (workload, latency);
        int layers = problem.Graph.Layers.Length;
        var isGrouped = problem.Constraints.Colocated.SelectMany(static group => group).ToHashSet();
        _groups = [.. problem.Constraints.Colocated.Select(static group => group.ToArray()),
            .. Enumerable.Range(0, layers).Where(layer => !isGrouped.Contains(layer)).Select(static layer => new[] { layer })];
        _neighbours = [.. _groups.Select(group => group
            .SelectMany(layer => problem.Graph.Layers[layer].Inputs.Concat(problem.Graph.Layers[layer].Outputs))
            .SelectMany(value => problem.Graph.Activations[value].Consumers.Append(problem.Graph.Activations[value].Producer))
            .Except(group).Distinct().ToArray())];
        WorkloadNode[] nodes = [.. workload.Nodes];
        _mayAccelerate = [.. _groups.Select(group => group.All(layer => nodes[layer].IsSupportedOnFpga))];
    }

    /// <summary>The best assignment found from several starts, in a number of evaluations.</summary>
    public (int[] Assignment, double Latency) Run(IEnumerable<int[]> starts, int evaluations)
    {
        int[] start = starts.MinBy(candidate => _latency.Evaluate(candidate))!;
        (int[] best, double lowest) = ([.. start], _latency.Evaluate(start));
        int[] current = [.. start];
        double now = lowest;
        for (int step = 0; step < evaluations; step++)
        {
            int group = _random.Next(_groups.Length);
            int target = _neighbours[group].Length > 0 && _random.Next(5) != 0
                ? current[_neighbours[group][_random.Next(_neighbours[group].Length)]]
                : _random.Next(_workload.Accelerators + 1);
            int home = current[_groups[group][0]];
            if (target == home || (target != _workload.Host && !_mayAccelerate[group]))
                continue;
            Assign(current, group, target);
            double after = _latency.Evaluate(current);
            double temperature = lowest * FirstTemperature * Math.Pow(LastTemperature / FirstTemperature, (double)step / evaluations);
            if (after <= now || _random.NextDouble() < Math.Exp((now - after) / temperature))
            {
                now = after;
                if (now < lowest)
                    (best, lowest) = ([.. current], now);
            }
            else
            {
                Assign(current, group, home);
            }
        }
        return (best, lowest);
    }

    private void Assign(int[] assignment, int group, int device)
    {
        foreach (int layer in _groups[group])
            assignment[layer] = device;
    }
}
