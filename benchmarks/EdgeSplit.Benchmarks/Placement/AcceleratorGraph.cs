using EdgeSplit.Models;
using EdgeSplit.Partitioning;

namespace EdgeSplit.Benchmarks.Placement;

/// <summary>
/// A workload for searches in the reference's latency model. Nodes that only nodes of one atom of their own color class read are one atom
/// with these: what they make never leaves it, and on the host they may as well run late. So an atom makes one value. A class is
/// the atoms that stay on one device; an accelerator takes whole classes, the host the atoms of a class one by one. Immutable.
/// </summary>
internal sealed class AcceleratorGraph
{
    public AcceleratorGraph(AcceleratorWorkload workload, PartitionProblem problem)
    {
        ModelGraph graph = problem.Graph;
        WorkloadNode[] nodes = [.. workload.Nodes];
        (Accelerators, Memory) = (workload.Accelerators, workload.AcceleratorMemory);
        int[][] readers = [.. graph.Layers.Select(layer => layer.Outputs.SelectMany(value => graph.Activations[value].Consumers).Distinct().Order().ToArray())];
        double[] costs = [.. graph.Layers.Select(layer => layer.Outputs.Sum(value => problem.CostModel.TransferSeconds(graph.Activations[value].ByteCount, problem.Fleet.DefaultLink)))];
        int[] classOfNode = Classes(problem, nodes.Length);
        int[] rootOf = Roots(readers, classOfNode);
        int[] roots = [.. Enumerable.Range(0, nodes.Length).Where(node => rootOf[node] == node)];
        var atomOfRoot = roots.Select(static (root, atom) => (root, atom)).ToDictionary(static pair => pair.root, static pair => pair.atom);
        AtomOf = [.. rootOf.Select(root => atomOfRoot[root])];
        Count = roots.Length;
        Costs = [.. roots.Select(root => costs[root])];
        Readers = [.. roots.Select(root => readers[root].Select(reader => AtomOf[reader]).Distinct().Order().ToArray())];
        Makers = new int[Count][];
        HostSeconds = new double[Count][];
        HostSecondsAlone = new double[Count];
        ILookup<int, int> makers = Enumerable.Range(0, Count).SelectMany(maker => Readers[maker].Select(reader => (maker, reader))).ToLookup(static pair => pair.reader, static pair => pair.maker);
        ILookup<int, int> members = Enumerable.Range(0, nodes.Length).ToLookup(node => AtomOf[node]);
        for (int atom = 0; atom < Count; atom++)
        {
            Makers[atom] = [.. makers[atom].Order()];
            // The longest way on the host from the start of a node to the end of the atom.
            var tails = new Dictionary<int, double>();
            foreach (int node in members[atom].OrderDescending())
                tails[node] = nodes[node].CpuLatency + readers[node].Where(tails.ContainsKey).Select(reader => tails[reader]).DefaultIfEmpty().Max();
            HostSecondsAlone[atom] = tails.Values.Max();
            HostSeconds[atom] = [.. Makers[atom].Select(maker => readers[roots[maker]].Where(tails.ContainsKey).Max(reader => tails[reader]))];
        }
        int[] classNumbers = [.. roots.Select(root => classOfNode[root]).Distinct().Order()];
        ClassOf = [.. roots.Select(root => Array.IndexOf(classNumbers, classOfNode[root]))];
        ClassAtoms = [.. classNumbers.Select((_, number) => Enumerable.Range(0, Count).Where(atom => ClassOf[atom] == number).ToArray())];
        Sizes = new double[classNumbers.Length];
        AcceleratorSeconds = new double[classNumbers.Length];
        for (int node = 0; node < nodes.Length; node++)
        {
            int number = ClassOf[AtomOf[node]];
            Sizes[number] += nodes[node].Size;
            AcceleratorSeconds[number] += nodes[node].IsSupportedOnFpga ? nodes[node].FpgaLatency : double.PositiveInfinity;
        }
        After = new AtomSet[Count];
        for (int atom = Count - 1; atom >= 0; atom--)
        {
            After[atom] = new AtomSet(Count);
            After[atom].Add(atom);
            foreach (int reader in Readers[atom])
                After[atom].UnionWith(After[reader]);
        }
        Before = new AtomSet[Count];
        for (int atom = 0; atom < Count; atom++)
        {
            Before[atom] = new AtomSet(Count);
            Before[atom].Add(atom);
            foreach (int maker in Makers[atom])
                Before[atom].UnionWith(Before[maker]);
        }
        Positions = [.. Readers.Select((others, maker) => others.Select(reader => Array.IndexOf(Makers[reader], maker)).ToArray())];
        AtomsWithMates = [.. Enumerable.Range(0, Count).Where(atom => ClassAtoms[ClassOf[atom]].Length > 1)];
        HasClassCycles = FindClassCycles();
    }

    public int Accelerators { get; }

    /// <summary>Bytes that an accelerator holds.</summary>
    public double Memory { get; }

    /// <summary>The number of atoms; they are in topological order.</summary>
    public int Count { get; }

    /// <summary>The atom of each node.</summary>
    public int[] AtomOf { get; }

    /// <summary>By atom, the time in which its value is moved to or from an accelerator.</summary>
    public double[] Costs { get; }

    /// <summary>By atom, those that read its value, ascending.</summary>
    public int[][] Readers { get; }

    /// <summary>By atom and position in <see cref="Readers"/>, its position in that reader's <see cref="Makers"/>.</summary>
    public int[][] Positions { get; }

    /// <summary>By atom, those whose values it reads, ascending.</summary>
    public int[][] Makers { get; }

    /// <summary>By atom and position in <see cref="Makers"/>, the time on the host from when the value is there.</summary>
    public double[][] HostSeconds { get; }

    /// <summary>By atom, the time on the host where all its inputs are there from the start.</summary>
    public double[] HostSecondsAlone { get; }

    /// <summary>The class of each atom.</summary>
    public int[] ClassOf { get; }

    public int[][] ClassAtoms { get; }

    /// <summary>The atoms that are not alone in their classes.</summary>
    public int[] AtomsWithMates { get; }

    /// <summary>By class, bytes.</summary>
    public double[] Sizes { get; }

    /// <summary>By class, time on an accelerator; infinite where that is not possible.</summary>
    public double[] AcceleratorSeconds { get; }

    /// <summary>By atom, those that come after it on some path, itself among them.</summary>
    public AtomSet[] After { get; }

    /// <summary>By atom, those that come before it on some path, itself among them.</summary>
    public AtomSet[] Before { get; }

    /// <summary>Whether some classes cannot be ordered so that each reads from those before it only.</summary>
    public bool HasClassCycles { get; }

    private bool FindClassCycles()
    {
        HashSet<int>[] after = [.. ClassAtoms.Select(atoms => atoms.SelectMany(atom => Readers[atom]).Select(reader => ClassOf[reader]).ToHashSet())];
        var waiting = new int[after.Length];
        for (int number = 0; number < after.Length; number++)
        {
            after[number].Remove(number);
            foreach (int next in after[number])
                waiting[next]++;
        }
        var open = new Stack<int>(Enumerable.Range(0, after.Length).Where(number => waiting[number] == 0));
        int ordered = 0;
        while (open.TryPop(out int number))
        {
            ordered++;
            foreach (int next in after[number])
            {
                if (--waiting[next] == 0)
                    open.Push(next);
            }
        }
        return ordered < after.Length;
    }

    /// <summary>The number of the class of each node; a node that stays with no other has one of its own.</summary>
    private static int[] Classes(PartitionProblem problem, int nodes)
    {
        int[] classes = [.. Enumerable.Range(0, nodes)];
        foreach (System.Collections.Immutable.ImmutableArray<int> group in problem.Constraints.Colocated)
        {
            foreach (int node in group)
                classes[node] = group.Min();
        }
        return classes;
    }

    /// <summary>By node, the last node of its atom. Nodes are in topological order, so what reads a node has its root already.</summary>
    private static int[] Roots(int[][] readers, int[] classes)
    {
        var roots = new int[readers.Length];
        for (int node = readers.Length - 1; node >= 0; node--)
        {
            roots[node] = node;
            if (readers[node].Length > 0 && classes[readers[node][0]] == classes[node] && Array.TrueForAll(readers[node], reader => roots[reader] == roots[readers[node][0]]))
                roots[node] = roots[readers[node][0]];
        }
        return roots;
    }
}
