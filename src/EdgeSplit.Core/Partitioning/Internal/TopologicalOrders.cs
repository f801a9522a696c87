namespace EdgeSplit.Partitioning.Internal;

/// <summary>
/// Orders of blocks of layers in which they can run; a block is what constraints keep together, with all that lies between.
/// Contiguous splits of different orders are different plans.
/// </summary>
internal sealed class TopologicalOrders
{
    private readonly Condensation _blocks;
    private readonly int[][] _layers;

    public TopologicalOrders(PlacementModel model, PlacementUnits units)
    {
        CompiledGraph graph = model.Graph;
        _blocks = Condensation.Of(units.Count, Enumerable.Range(0, graph.ValueCount).Where(value => graph.Producers[value] >= 0)
            .SelectMany(value => graph.Consumers(value).ToArray().Select(consumer => (units.UnitOf[graph.Producers[value]], units.UnitOf[consumer]))));
        _layers = [.. _blocks.Members.Select(block => block.SelectMany(unit => units.Layers[unit]).Order().ToArray())];
    }

    /// <summary>The graph's own order.</summary>
    public int[][] Given() => _layers;

    /// <summary>Depth first: what was enabled last runs next, so that a branch is finished before another is begun.</summary>
    /// <param name="random">Orders branches at random; by number where null.</param>
    public int[][] DepthFirst(Random? random) => Walk(_blocks.Predecessors, _blocks.Successors, random);

    /// <summary>As late as possible: each block just before the first that needs it, so that little is alive at any position.</summary>
    /// <param name="random">Orders branches at random; by number where null.</param>
    public int[][] Late(Random? random) => [.. Walk(_blocks.Successors, _blocks.Predecessors, random).Reverse()];

    private int[][] Walk(int[][] before, int[][] after, Random? random)
    {
        int[] waiting = [.. before.Select(static blocks => blocks.Length)];
        int[] enabled = [.. Enumerable.Range(0, waiting.Length).Where(block => waiting[block] == 0)];
        var open = new Stack<int>();
        var order = new List<int[]>(waiting.Length);
        while (true)
        {
            random?.Shuffle(enabled);
            for (int i = enabled.Length - 1; i >= 0; i--)
                open.Push(enabled[i]);
            if (!open.TryPop(out int block))
                return [.. order];
            order.Add(_layers[block]);
            enabled = [.. after[block].Where(next => --waiting[next] == 0)];
        }
    }
}
