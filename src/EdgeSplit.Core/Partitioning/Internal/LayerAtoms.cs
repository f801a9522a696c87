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
        int[] all = [.. Enumerable.Range(0, graph.Layers.Length)];
        var welds = new List<(int, int)>();
        foreach (Activation activation in graph.Activations)
        {
            if (activation.CanTravel || activation.Consumers.IsEmpty)
                continue;
            int keeper = activation.Producer >= 0 ? activation.Producer : activation.Consumers[0];
            welds.AddRange(activation.Consumers.Select(consumer => (keeper, consumer)));
        }
        if (welds.Count == 0)
            return new LayerAtoms(all, [.. all.Select(static layer => new[] { layer })]);

        // A weld that holds both ways makes a cycle with every path that leaves an atom and comes back.
        IEnumerable<(int, int)> edges = graph.Activations.Where(static activation => activation.Producer >= 0)
            .SelectMany(static activation => activation.Consumers.Select(consumer => (activation.Producer, consumer)));
        var condensation = Condensation.Of(all.Length, edges.Concat(welds).Concat(welds.Select(static weld => (weld.Item2, weld.Item1))));
        return new LayerAtoms(condensation.BlockOf, condensation.Members);
    }
}
