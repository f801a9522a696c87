namespace EdgeSplit.Onnx.Graphs;

/// <summary>Sorts a graph given as successor lists.</summary>
internal static class TopologicalOrder
{
    /// <summary>
    /// The items in an order in which each comes after its predecessors; of those that could come next, the one with the
    /// smallest index, so that a sorted graph keeps its order (Kahn 1962).
    /// </summary>
    /// <returns>The order; shorter than the graph where there is a cycle.</returns>
    public static List<int> Of(IReadOnlyList<IReadOnlyCollection<int>> successors)
    {
        var waitsFor = new int[successors.Count];
        foreach (IReadOnlyCollection<int> targets in successors)
        {
            foreach (int target in targets)
                waitsFor[target]++;
        }
        var ready = new PriorityQueue<int, int>();
        for (int i = 0; i < waitsFor.Length; i++)
        {
            if (waitsFor[i] == 0)
                ready.Enqueue(i, i);
        }
        var order = new List<int>(successors.Count);
        while (ready.TryDequeue(out int item, out _))
        {
            order.Add(item);
            foreach (int target in successors[item])
            {
                if (--waitsFor[target] == 0)
                    ready.Enqueue(target, target);
            }
        }
        return order;
    }
}
