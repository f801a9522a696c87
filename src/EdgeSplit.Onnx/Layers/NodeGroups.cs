using EdgeSplit.Onnx.Graphs;

namespace EdgeSplit.Onnx.Layers;

/// <summary>
/// Nodes put together to groups. Groups must form an acyclic graph: merging what would close a cycle is refused, or
/// merges the whole cycle where the merge is not a choice.
/// </summary>
internal sealed class NodeGroups
{
    private readonly OnnxGraph _graph;
    private readonly int[] _parent;
    private readonly List<int>?[] _members;
    private readonly int[][] _successors;

    /// <param name="graph">The main graph.</param>
    /// <param name="nodes">The nodes to group, each a group of its own at first.</param>
    public NodeGroups(OnnxGraph graph, IEnumerable<GraphNode> nodes)
    {
        _graph = graph;
        _parent = new int[graph.Nodes.Length];
        _members = new List<int>?[graph.Nodes.Length];
        Array.Fill(_parent, -1);
        foreach (GraphNode node in nodes)
            Add(node);
        _successors = new int[graph.Nodes.Length][];
        var successors = new List<int>[graph.Nodes.Length];
        for (int i = 0; i < successors.Length; i++)
            successors[i] = [];
        foreach (GraphNode node in graph.Nodes)
        {
            foreach (string input in node.Inputs)
            {
                if (graph.ProducerOf(input) is { } producer)
                    successors[producer.Index].Add(node.Index);
            }
        }
        for (int i = 0; i < successors.Length; i++)
            _successors[i] = [.. successors[i].Distinct()];
    }

    /// <summary>The groups, each with its nodes in topological order, ordered by their first nodes.</summary>
    public IEnumerable<IReadOnlyList<GraphNode>> All =>
        Enumerable.Range(0, _parent.Length).Where(node => _parent[node] == node)
            .Select(root => _members[root]!).OrderBy(static members => members[0])
            .Select(members => members.ConvertAll(index => _graph.Nodes[index]));

    /// <summary>Makes a node a group of its own, unless it is in one.</summary>
    public bool Add(GraphNode node)
    {
        if (_parent[node.Index] >= 0)
            return false;
        _parent[node.Index] = node.Index;
        _members[node.Index] = [node.Index];
        return true;
    }

    public bool Contains(GraphNode node) => _parent[node.Index] >= 0;

    /// <summary>A number for the group of a node.</summary>
    public int Find(GraphNode node) => Find(node.Index);

    /// <summary>The nodes of a group, in topological order.</summary>
    public IEnumerable<GraphNode> MembersOf(GraphNode node) => _members[Find(node)]!.Select(index => _graph.Nodes[index]);

    public int SizeOf(GraphNode node) => _members[Find(node)]!.Count;

    /// <summary>Merges the groups of two nodes whatever that closes; <see cref="Condense"/> mends it.</summary>
    public void Merge(GraphNode first, GraphNode second) => Merge(Find(first), Find(second));

    /// <summary>Merges the groups of two nodes unless a path leads from one to the other through a third group.</summary>
    public bool TryMerge(GraphNode first, GraphNode second)
    {
        int a = Find(first);
        int b = Find(second);
        if (a == b)
            return true;
        if (ReachesThroughOthers(a, b) || ReachesThroughOthers(b, a))
            return false;
        Merge(a, b);
        return true;
    }

    /// <summary>Merges the groups on each cycle of groups.</summary>
    /// <param name="edges">For each group's number, the groups that read what it makes.</param>
    /// <returns>Whether there was a cycle.</returns>
    public bool Condense(IReadOnlyDictionary<int, HashSet<int>> edges)
    {
        bool any = false;
        foreach (List<int> component in StrongComponents.Of(edges))
        {
            foreach (int group in component.Skip(1))
            {
                Merge(Find(component[0]), Find(group));
                any = true;
            }
        }
        return any;
    }

    private int Find(int node)
    {
        while (_parent[node] != node)
            node = _parent[node] = _parent[_parent[node]];
        return node;
    }

    private void Merge(int a, int b)
    {
        if (a == b)
            return;
        if (_members[a]!.Count < _members[b]!.Count)
            (a, b) = (b, a);
        _parent[b] = a;
        _members[a]!.AddRange(_members[b]!);
        _members[a]!.Sort();
        _members[b] = null;
    }

    /// <summary>
    /// Whether a path leads from one group through a third to the other. Nodes in no group are computed again where they are
    /// needed, so a path through them alone does not count.
    /// </summary>
    private bool ReachesThroughOthers(int from, int to)
    {
        int last = _members[to]![^1];
        var visited = new HashSet<int>(_members[from]!);
        var near = new Stack<int>(_members[from]!);
        var far = new Stack<int>();
        while (near.TryPop(out int node))
        {
            foreach (int successor in _successors[node])
            {
                int group = GroupOf(successor);
                if (successor > last || group == to || !visited.Add(successor))
                    continue;
                if (group < 0)
                    near.Push(successor);
                else
                    far.Push(successor);
            }
        }
        while (far.TryPop(out int node))
        {
            int group = GroupOf(node);
            if (group == to)
                return true;
            foreach (int member in group < 0 ? [node] : _members[group]!)
            {
                foreach (int successor in _successors[member])
                {
                    if (successor <= last && visited.Add(successor))
                        far.Push(successor);
                }
            }
        }
        return false;
    }

    private int GroupOf(int node) => _parent[node] < 0 ? -1 : Find(node);
}
