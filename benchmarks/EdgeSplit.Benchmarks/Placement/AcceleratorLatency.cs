using EdgeSplit.Models;
using EdgeSplit.Partitioning;

namespace EdgeSplit.Benchmarks.Placement;

/// <summary>
/// The reference's latency ("Efficient Algorithms for Device Placement of DNN Graph Operators", section 4), which differs from the
/// library's: each accelerator is invoked once, for all of its nodes together (what it needs is copied in, it computes,
/// what others need is copied out), and each node on the host runs by itself as soon as its inputs are there.
/// </summary>
internal sealed class AcceleratorLatency
{
    private readonly int _host;
    private readonly double _memory;
    private readonly PartitionProblem _problem;
    private readonly WorkloadNode[] _nodes;
    private readonly double[] _costs;
    private readonly int[] _producers;
    private readonly int[][] _consumers;
    private readonly int[] _waiting;
    private readonly double[] _ready;
    private readonly double[] _sums;
    private readonly int[] _seen;
    private readonly Stack<int> _open = new();
    private readonly int[] _counts;
    private int _look;

    /// <param name="workload">The workload.</param>
    /// <param name="problem">Its problem.</param>
    public AcceleratorLatency(AcceleratorWorkload workload, PartitionProblem problem)
    {
        (_problem, _host, _memory) = (problem, workload.Host, workload.AcceleratorMemory);
        _nodes = [.. workload.Nodes];
        ModelGraph graph = problem.Graph;
        _costs = [.. graph.Activations.Select(value => problem.CostModel.TransferSeconds(value.ByteCount, problem.Fleet.DefaultLink))];
        _producers = [.. graph.Activations.Select(static value => value.Producer)];
        _consumers = [.. graph.Activations.Select(static value => value.Consumers.ToArray())];
        int steps = _nodes.Length + _host;
        _waiting = new int[steps];
        _ready = new double[steps];
        _sums = new double[steps];
        _seen = new int[steps];
        _counts = new int[steps];
    }

    /// <summary>The latency; infinite where accelerators wait for each other or one lacks memory.</summary>
    public double Evaluate(ReadOnlySpan<int> assignment)
    {
        if (!Prepare(assignment))
            return double.PositiveInfinity;
        double latest = 0;
        int done = 0;
        for (int step = 0; step < _waiting.Length; step++)
        {
            if (_waiting[step] == 0 && _counts[step] > 0)
                _open.Push(step);
        }
        while (_open.TryPop(out int step))
        {
            done += _counts[step];
            _ready[step] += _sums[step];
            latest = Math.Max(latest, _ready[step]);
            if (step < _nodes.Length)
            {
                Finish(assignment, step, step);
                continue;
            }
            for (int node = 0; node < _nodes.Length; node++)
            {
                if (StepOf(assignment, node) == step)
                    Finish(assignment, node, step);
            }
        }
        return done == _nodes.Length ? latest : double.PositiveInfinity;
    }

    /// <summary>Sums up each step's work and counts what it waits for; false where an accelerator lacks memory.</summary>
    private bool Prepare(ReadOnlySpan<int> assignment)
    {
        Array.Clear(_waiting);
        Array.Clear(_ready);
        Array.Clear(_sums);
        Array.Clear(_counts);
        Span<double> sizes = stackalloc double[_host];
        for (int node = 0; node < _nodes.Length; node++)
        {
            int step = StepOf(assignment, node);
            bool isOnHost = assignment[node] == _host;
            _sums[step] += isOnHost ? _nodes[node].CpuLatency : _nodes[node].FpgaLatency;
            _counts[step]++;
            if (!isOnHost)
                sizes[assignment[node]] += _nodes[node].Size;
        }
        foreach (double size in sizes)
        {
            if (size > _memory)
                return false;
        }
        for (int value = 0; value < _costs.Length; value++)
        {
            int home = StepOf(assignment, _producers[value]);
            int look = ++_look;
            bool leaves = false;
            foreach (int consumer in _consumers[value])
            {
                int step = StepOf(assignment, consumer);
                if (step == home || _seen[step] == look)
                    continue;
                _seen[step] = look;
                _waiting[step]++;
                leaves = true;
                if (step >= _nodes.Length)
                    _sums[step] += _costs[value];
            }
            if (leaves && home >= _nodes.Length)
                _sums[home] += _costs[value];
        }
        return true;
    }

    private void Finish(ReadOnlySpan<int> assignment, int node, int home)
    {
        foreach (int value in _problem.Graph.Layers[node].Outputs)
        {
            int look = ++_look;
            foreach (int consumer in _consumers[value])
            {
                int step = StepOf(assignment, consumer);
                if (step == home || _seen[step] == look)
                    continue;
                _seen[step] = look;
                _ready[step] = Math.Max(_ready[step], _ready[home]);
                if (--_waiting[step] == 0)
                    _open.Push(step);
            }
        }
    }

    private int StepOf(ReadOnlySpan<int> assignment, int node) => assignment[node] == _host ? node : _nodes.Length + assignment[node];
}
