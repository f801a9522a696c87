using EdgeSplit.Models;
using EdgeSplit.Partitioning;

namespace EdgeSplit.Benchmarks.Placement;

/// <summary>
/// Splits for the reference's latency: of one order of the nodes, the parts for accelerators and the nodes on the host between
/// them with the least sum of times, by dynamic programming; over many random orders.
/// </summary>
internal sealed class AcceleratorSegments(AcceleratorWorkload workload, PartitionProblem problem)
{
    private readonly ModelGraph _graph = problem.Graph;
    private readonly WorkloadNode[] _nodes = [.. workload.Nodes];
    private readonly double[] _costs = [.. problem.Graph.Activations.Select(value => problem.CostModel.TransferSeconds(value.ByteCount, problem.Fleet.DefaultLink))];
    private readonly Random _random = new(1);

    /// <summary>The best split of each of a number of orders; those that have none are left out.</summary>
    public IEnumerable<int[]> Splits(int orders) => Enumerable.Range(0, orders).Select(round => Split(Order(isRandom: round > 0))).OfType<int[]>();

    /// <summary>Depth first, so that branches stay together, with a random choice now and then.</summary>
    private int[] Order(bool isRandom)
    {
        int[] waiting = [.. _graph.Layers.Select(static layer => layer.Inputs.Length)];
        List<int> open = [.. Enumerable.Range(0, waiting.Length).Where(node => waiting[node] == 0).Reverse()];
        var order = new List<int>();
        while (open.Count > 0)
        {
            int at = isRandom && _random.Next(4) == 0 ? _random.Next(open.Count) : open.Count - 1;
            int node = open[at];
            open.RemoveAt(at);
            order.Add(node);
            int[] enabled = [.. _graph.Layers[node].Outputs.SelectMany(value => _graph.Activations[value].Consumers).Where(next => --waiting[next] == 0)];
            if (isRandom)
                _random.Shuffle(enabled);
            open.AddRange(enabled);
        }
        return [.. order];
    }

    private int[]? Split(int[] order)
    {
        int accelerators = workload.Accelerators;
        var positions = new int[order.Length];
        for (int position = 0; position < order.Length; position++)
            positions[order[position]] = position;
        int[] lastReaders = [.. _graph.Activations.Select(value => value.Consumers.Max(reader => positions[reader]))];
        var least = new double[order.Length + 1, accelerators + 1];
        var from = new (int Start, bool IsOnHost)[order.Length + 1, accelerators + 1];
        for (int end = 1; end <= order.Length; end++)
        {
            for (int used = 0; used <= accelerators; used++)
                least[end, used] = double.PositiveInfinity;
        }
        for (int start = 0; start < order.Length; start++)
        {
            for (int used = 0; used <= accelerators; used++)
                Offer(start, start + 1, used, used, _nodes[order[start]].CpuLatency);
            var received = new HashSet<int>();
            double seconds = 0, size = 0;
            for (int end = start; end < order.Length; end++)
            {
                WorkloadNode node = _nodes[order[end]];
                size += node.Size;
                if (!node.IsSupportedOnFpga || size > workload.AcceleratorMemory)
                    break;
                seconds += node.FpgaLatency + _graph.Layers[order[end]].Outputs.Sum(value => _costs[value]);
                foreach (int value in _graph.Layers[order[end]].Inputs)
                {
                    if (positions[_graph.Activations[value].Producer] < start)
                        seconds += received.Add(value) ? _costs[value] : 0;
                    else if (lastReaders[value] == end)
                        seconds -= _costs[value];
                }
                for (int used = 0; used < accelerators; used++)
                    Offer(start, end + 1, used, used + 1, seconds);
            }
        }
        return Trace(order, least, from);

        void Offer(int start, int end, int before, int after, double seconds)
        {
            if (least[start, before] + seconds < least[end, after])
                (least[end, after], from[end, after]) = (least[start, before] + seconds, (start, before == after));
        }
    }

    private int[]? Trace(int[] order, double[,] least, (int Start, bool IsOnHost)[,] from)
    {
        int used = Enumerable.Range(0, workload.Accelerators + 1).MinBy(count => least[order.Length, count]);
        if (double.IsInfinity(least[order.Length, used]))
            return null;
        var assignment = new int[order.Length];
        for (int end = order.Length; end > 0;)
        {
            (int start, bool isOnHost) = from[end, used];
            for (int position = start; position < end; position++)
                assignment[order[position]] = isOnHost ? workload.Host : used - 1;
            used -= isOnHost ? 0 : 1;
            end = start;
        }
        return assignment;
    }
}
