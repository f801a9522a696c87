using EdgeSplit.Partitioning;

namespace EdgeSplit.Benchmarks.Placement;

/// <summary>Plans a workload for the reference's latency: quick searches first, then one over all chains of sets, which also bounds the latency.</summary>
internal static class LatencyPlanning
{
    private const int Evaluations = 400_000;
    private const int Orders = 500;
    private const double Rounding = 1e-9;

    /// <summary>The best split found, its latency, and what no split's latency is below.</summary>
    /// <param name="workload">The workload.</param>
    /// <param name="problem">Its problem.</param>
    /// <param name="starts">Splits that may be near a good one.</param>
    /// <param name="mostSteps">How long the last search may be.</param>
    public static (int[] Assignment, double Latency, double Bound) Plan(AcceleratorWorkload workload, PartitionProblem problem, IEnumerable<int[]> starts, long mostSteps)
    {
        var latency = new AcceleratorLatency(workload, problem);
        // What is best at first does not always lead furthest.
        (int[] best, double value) = new[] { [.. starts], new AcceleratorSegments(workload, problem).Splits(Orders).ToArray() }
            .Where(static candidates => candidates.Length > 0)
            .Select(candidates => new LatencyRefinement(workload, problem, latency).Run(candidates, Evaluations)).MinBy(static found => found.Latency);
        var graph = new AcceleratorGraph(workload, problem);
        var tails = new AcceleratorTails(graph);
        double bound = tails.LatencyBound;
        foreach (double haste in (double[])[0.3, 0.1, 0])
        {
            if (bound >= value * (1 - Rounding))
                break;
            var chains = new AcceleratorChains(graph, tails, value, haste > 0 ? mostSteps / 4 : mostSteps, haste);
            if (chains.Run() is int[] better)
                (best, value) = (better, latency.Evaluate(better));
            bound = Math.Max(bound, chains.LatencyBound);
        }
        return (best, value, Math.Min(bound, value));
    }
}
