using System.Collections;
using EdgeSplit.Models;
using EdgeSplit.Partitioning;

namespace EdgeSplit.Benchmarks.Placement;

/// <summary>
/// What no split's latency can be below in the reference's model, memory limits kept. As an accelerator is invoked once, the nodes of a
/// path that it has follow each other, with all that lies between them; they must fit its memory, and it receives what was made before and sends
/// what is needed after. Dynamic programming over the ways to cut a path into such parts, and nodes on the host, bounds the latency.
/// </summary>
internal sealed class AcceleratorLatencyBound
{
    private readonly AcceleratorWorkload _workload;
    private readonly ModelGraph _graph;
    private readonly WorkloadNode[] _nodes;
    private readonly double[] _costs;

    /// <summary>By node, those that come after it on some path, itself among them.</summary>
    private readonly BitArray[] _after;

    public AcceleratorLatencyBound(AcceleratorWorkload workload, PartitionProblem problem)
    {
        (_workload, _graph) = (workload, problem.Graph);
        _nodes = [.. workload.Nodes];
        _costs = [.. _graph.Activations.Select(value => problem.CostModel.TransferSeconds(value.ByteCount, problem.Fleet.DefaultLink))];
        _after = new BitArray[_nodes.Length];
        for (int node = _nodes.Length - 1; node >= 0; node--)
        {
            _after[node] = new BitArray(_nodes.Length) { [node] = true };
            foreach (int next in Next(node))
                _after[node].Or(_after[next]);
        }
    }

    /// <summary>The best bound of a few paths, long by different measures.</summary>
    public double Value => new Func<int, double>[]
    {
        Fastest,
        node => Fastest(node) + _graph.Layers[node].Outputs.Sum(value => _costs[value]),
        node => _nodes[node].Size / _workload.AcceleratorMemory,
        static _ => 1,
    }.Max(weight => Along(LongestPath(weight)));

    private double Fastest(int node) => Math.Min(_nodes[node].CpuLatency, _nodes[node].IsSupportedOnFpga ? _nodes[node].FpgaLatency : double.PositiveInfinity);

    private IEnumerable<int> Next(int node) => _graph.Layers[node].Outputs.SelectMany(value => _graph.Activations[value].Consumers);

    private int[] LongestPath(Func<int, double> weight)
    {
        var lengths = new double[_nodes.Length];
        var next = new int[_nodes.Length];
        for (int node = _nodes.Length - 1; node >= 0; node--)
        {
            next[node] = -1;
            foreach (int other in Next(node))
            {
                if (next[node] < 0 || lengths[other] > lengths[next[node]])
                    next[node] = other;
            }
            lengths[node] = weight(node) + (next[node] < 0 ? 0 : lengths[next[node]]);
        }
        var path = new List<int>();
        for (int node = Array.IndexOf(lengths, lengths.Max()); node >= 0; node = next[node])
            path.Add(node);
        return [.. path];
    }

    private double Along(int[] path)
    {
        int accelerators = _workload.Accelerators;
        // The least latency of the first nodes of the path, by how many and by the accelerators that they take.
        var least = new double[path.Length + 1, accelerators + 1];
        for (int end = 1; end <= path.Length; end++)
        {
            for (int used = 0; used <= accelerators; used++)
                least[end, used] = double.PositiveInfinity;
        }
        for (int start = 0; start < path.Length; start++)
        {
            for (int used = 0; used <= accelerators; used++)
                least[start + 1, used] = Math.Min(least[start + 1, used], least[start, used] + _nodes[path[start]].CpuLatency);
            for (int end = start + 1; end <= path.Length && LeastSeconds(path, start, end) is double seconds; end++)
            {
                for (int used = 0; used < accelerators; used++)
                    least[end, used + 1] = Math.Min(least[end, used + 1], least[start, used] + seconds);
            }
        }
        return Enumerable.Range(0, accelerators + 1).Min(used => least[path.Length, used]);
    }

    /// <summary>The least time of an accelerator that has a part of a path and neither the node before nor the one after; null where it cannot hold it.</summary>
    private double? LeastSeconds(int[] path, int start, int end)
    {
        int first = path[start];
        int last = path[end - 1];
        double size = 0, seconds = 0;
        for (int node = first; node <= last; node++)
        {
            if (!IsBetween(node))
                continue;
            if (!_nodes[node].IsSupportedOnFpga)
                return null;
            size += _nodes[node].Size;
            seconds += _nodes[node].FpgaLatency;
        }
        if (size > _workload.AcceleratorMemory)
            return null;
        for (int value = 0; value < _costs.Length; value++)
        {
            int maker = _graph.Activations[value].Producer;
            bool isMadeBefore = start > 0 && _after[maker][path[start - 1]];
            bool isReceived = isMadeBefore && _graph.Activations[value].Consumers.Any(IsBetween);
            bool isSent = end < path.Length && IsBetween(maker) && _graph.Activations[value].Consumers.Any(reader => _after[path[end]][reader]);
            seconds += isReceived || isSent ? _costs[value] : 0;
        }
        return seconds;

        bool IsBetween(int node) => _after[first][node] && _after[node][last];
    }
}
