namespace EdgeSplit.Onnx.Layers;

/// <summary>Finds the sets of groups that lie on common cycles.</summary>
internal static class StrongComponents
{
    /// <summary>The strongly connected components of at least two items (Tarjan 1972, without recursion).</summary>
    public static List<List<int>> Of(IReadOnlyDictionary<int, HashSet<int>> edges)
    {
        var found = new List<List<int>>();
        var order = new Dictionary<int, int>();
        var low = new Dictionary<int, int>();
        var onStack = new HashSet<int>();
        var stack = new Stack<int>();
        var calls = new Stack<(int Item, IEnumerator<int> Next)>();
        foreach (int start in edges.Keys)
        {
            if (!order.ContainsKey(start))
                Enter(start);
            while (calls.TryPeek(out (int Item, IEnumerator<int> Next) call))
            {
                if (call.Next.MoveNext())
                {
                    int next = call.Next.Current;
                    if (!order.TryGetValue(next, out int seen))
                        Enter(next);
                    else if (onStack.Contains(next))
                        low[call.Item] = Math.Min(low[call.Item], seen);
                    continue;
                }
                calls.Pop();
                if (calls.TryPeek(out (int Item, IEnumerator<int> Next) caller))
                    low[caller.Item] = Math.Min(low[caller.Item], low[call.Item]);
                if (low[call.Item] == order[call.Item])
                    Leave(call.Item);
            }
        }
        return found;

        void Enter(int item)
        {
            order[item] = low[item] = order.Count;
            stack.Push(item);
            onStack.Add(item);
            calls.Push((item, (edges.TryGetValue(item, out HashSet<int>? targets) ? targets : []).GetEnumerator()));
        }

        void Leave(int root)
        {
            var component = new List<int>();
            int item;
            do
            {
                item = stack.Pop();
                onStack.Remove(item);
                component.Add(item);
            }
            while (item != root);
            if (component.Count > 1)
                found.Add(component);
        }
    }
}
