namespace EdgeSplit.Partitioning.Internal;

/// <summary>
/// A directed graph with every cycle drawn together into one block, so that the blocks can be ordered. Immutable.
/// </summary>
internal sealed class Condensation
{
    private Condensation(int[] blockOf, int[][] members, int[][] successors, int[][] predecessors)
    {
        BlockOf = blockOf;
        Members = members;
        Successors = successors;
        Predecessors = predecessors;
    }

    /// <summary>The block of each node.</summary>
    public int[] BlockOf { get; }

    /// <summary>The nodes of each block, ascending. Blocks are numbered in a topological order, that of their smallest nodes where the graph leaves it open.</summary>
    public int[][] Members { get; }

    public int[][] Successors { get; }

    public int[][] Predecessors { get; }

    /// <param name="count">The number of nodes.</param>
    /// <param name="edges">The edges; those from a node to itself do not count.</param>
    public static Condensation Of(int count, IEnumerable<(int From, int To)> edges)
    {
        var successors = new List<int>[count];
        for (int node = 0; node < count; node++)
            successors[node] = [];
        foreach ((int from, int to) in edges)
        {
            if (from != to)
                successors[from].Add(to);
        }
        int[] component = Components(successors, out int components);
        return Order(component, components, successors);
    }

    /// <summary>Tarjan's strongly connected components (SIAM J. Comput. 1972), iterative.</summary>
    private static int[] Components(List<int>[] successors, out int count)
    {
        int n = successors.Length;
        var component = new int[n];
        var index = new int[n];
        var low = new int[n];
        var next = new int[n];
        Array.Fill(component, -1);
        var stack = new Stack<int>();
        var path = new Stack<int>();
        int counter = 0;
        count = 0;
        for (int root = 0; root < n; root++)
        {
            if (index[root] == 0)
                path.Push(root);
            while (path.TryPeek(out int node))
            {
                if (index[node] == 0)
                {
                    index[node] = low[node] = ++counter;
                    stack.Push(node);
                }
                if (next[node] < successors[node].Count)
                {
                    int to = successors[node][next[node]++];
                    if (index[to] == 0)
                        path.Push(to);
                    else if (component[to] < 0)
                        low[node] = Math.Min(low[node], index[to]);
                    continue;
                }
                path.Pop();
                if (path.TryPeek(out int parent))
                    low[parent] = Math.Min(low[parent], low[node]);
                if (low[node] != index[node])
                    continue;
                int member;
                do
                {
                    member = stack.Pop();
                    component[member] = count;
                }
                while (member != node);
                count++;
            }
        }
        return component;
    }

    private static Condensation Order(int[] component, int count, List<int>[] successors)
    {
        var smallest = new int[count];
        Array.Fill(smallest, int.MaxValue);
        var edges = new HashSet<(int From, int To)>();
        for (int node = 0; node < component.Length; node++)
        {
            smallest[component[node]] = Math.Min(smallest[component[node]], node);
            foreach (int to in successors[node])
            {
                if (component[node] != component[to])
                    edges.Add((component[node], component[to]));
            }
        }
        ILookup<int, int> after = edges.ToLookup(static edge => edge.From, static edge => edge.To);
        var waiting = new int[count];
        foreach ((int _, int to) in edges)
            waiting[to]++;
        var open = new PriorityQueue<int, int>(Enumerable.Range(0, count).Where(block => waiting[block] == 0).Select(block => (block, smallest[block])));
        var rank = new int[count];
        int ranked = 0;
        while (open.TryDequeue(out int block, out _))
        {
            rank[block] = ranked++;
            foreach (int to in after[block])
            {
                if (--waiting[to] == 0)
                    open.Enqueue(to, smallest[to]);
            }
        }
        int[] blockOf = [.. component.Select(block => rank[block])];
        ILookup<int, int> members = Enumerable.Range(0, component.Length).ToLookup(node => blockOf[node]);
        ILookup<int, int> forward = edges.ToLookup(edge => rank[edge.From], edge => rank[edge.To]);
        ILookup<int, int> backward = edges.ToLookup(edge => rank[edge.To], edge => rank[edge.From]);
        return new Condensation(
            blockOf,
            [.. Enumerable.Range(0, count).Select(block => members[block].ToArray())],
            [.. Enumerable.Range(0, count).Select(block => forward[block].Order().ToArray())],
            [.. Enumerable.Range(0, count).Select(block => backward[block].Order().ToArray())]);
    }
}
