using EdgeSplit.Models;

namespace EdgeSplit.Partitioning.Internal;

/// <summary>
/// Layers welded together by values that cannot travel, with whatever lies between them: each atom runs in one stage.
/// Atoms are numbered in a topological order.
/// </summary>
internal sealed class LayerAtoms
{
    private LayerAtoms(int[] atomOf, int[][] layers)
    {
        AtomOf = atomOf;
        Layers = layers;
    }

    /// <summary>The atom of each layer.</summary>
    public int[] AtomOf { get; }

    /// <summary>The layers of each atom, ascending.</summary>
    public int[][] Layers { get; }

    public static LayerAtoms Of(ModelGraph graph)
    {
        var sets = new DisjointSets(graph.Layers.Length);
        bool welded = false;
        foreach (Activation activation in graph.Activations)
        {
            if (activation.CanTravel || activation.Consumers.IsEmpty)
                continue;
            int keeper = activation.Producer >= 0 ? activation.Producer : activation.Consumers[0];
            foreach (int consumer in activation.Consumers)
                welded |= sets.Join(keeper, consumer);
        }
        if (!welded)
            return new LayerAtoms([.. Enumerable.Range(0, graph.Layers.Length)], [.. Enumerable.Range(0, graph.Layers.Length).Select(static layer => new[] { layer })]);

        // A path that leaves an atom and comes back makes a cycle between atoms: what is on it belongs to the atom.
        return Number(graph, sets, JoinCycles(graph, sets));
    }

    /// <summary>
    /// Joins the strongly connected components of the atoms (Tarjan, SIAM J. Comput. 1972, iterative) and gives one layer of
    /// each in a topological order.
    /// </summary>
    private static int[] JoinCycles(ModelGraph graph, DisjointSets sets)
    {
        int n = graph.Layers.Length;
        var successors = new List<int>[n];
        for (int layer = 0; layer < n; layer++)
            (successors[sets.Find(layer)] ??= []).AddRange(graph.Layers[layer].Outputs.SelectMany(output => graph.Activations[output].Consumers).Select(sets.Find));
        var index = new int[n];
        var low = new int[n];
        var onStack = new bool[n];
        var next = new int[n];
        var stack = new Stack<int>();
        var path = new Stack<int>();
        var components = new List<List<int>>();
        int counter = 0;
        // Roots from the last layer down and components reversed keep the order of layers where the graph leaves it open.
        for (int layer = n - 1; layer >= 0; layer--)
        {
            if (sets.Find(layer) != layer || index[layer] != 0)
                continue;
            path.Push(layer);
            while (path.TryPeek(out int node))
            {
                if (index[node] == 0)
                {
                    index[node] = low[node] = ++counter;
                    stack.Push(node);
                    onStack[node] = true;
                }
                if (next[node] < successors[node].Count)
                {
                    int to = successors[node][next[node]++];
                    if (index[to] == 0)
                        path.Push(to);
                    else if (onStack[to])
                        low[node] = Math.Min(low[node], index[to]);
                    continue;
                }
                path.Pop();
                if (path.TryPeek(out int parent))
                    low[parent] = Math.Min(low[parent], low[node]);
                if (low[node] != index[node])
                    continue;
                var component = new List<int>();
                int member;
                do
                {
                    member = stack.Pop();
                    onStack[member] = false;
                    component.Add(member);
                }
                while (member != node);
                components.Add(component);
            }
        }
        foreach (List<int> component in components)
        {
            foreach (int member in component)
                sets.Join(component[0], member);
        }
        components.Reverse();
        return [.. components.Select(static component => component[0])];
    }

    private static LayerAtoms Number(ModelGraph graph, DisjointSets sets, int[] order)
    {
        var number = new int[graph.Layers.Length];
        for (int atom = 0; atom < order.Length; atom++)
            number[sets.Find(order[atom])] = atom;
        int[] atomOf = [.. graph.Layers.Select(layer => number[sets.Find(layer.Index)])];
        ILookup<int, int> members = graph.Layers.ToLookup(layer => atomOf[layer.Index], static layer => layer.Index);
        return new LayerAtoms(atomOf, [.. Enumerable.Range(0, order.Length).Select(atom => members[atom].ToArray())]);
    }
}
