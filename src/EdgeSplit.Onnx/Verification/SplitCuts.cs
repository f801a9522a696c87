using System.Collections.Immutable;
using EdgeSplit.Models;

namespace EdgeSplit.Onnx.Verification;

/// <summary>The places where a model can be cut in two.</summary>
public static class SplitCuts
{
    /// <summary>
    /// All single cuts at a value (before it all that it needs, behind it the rest) or between two neighbours in the order of
    /// the layers, each once.
    /// </summary>
    /// <returns>For each cut the layers before it; those behind it are the others.</returns>
    public static ImmutableArray<ImmutableArray<int>> All(ModelGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var cuts = ImmutableArray.CreateBuilder<ImmutableArray<int>>();
        var known = new HashSet<string>(StringComparer.Ordinal);
        for (int layer = 0; layer < graph.Layers.Length - 1; layer++)
        {
            Add([.. Enumerable.Range(0, layer + 1)]);
            Add(UpTo(graph, layer));
        }
        if (graph.Layers.Length > 1)
            Add(UpTo(graph, graph.Layers.Length - 1));
        return cuts.ToImmutable();

        void Add(ImmutableArray<int> before)
        {
            if (before.Length < graph.Layers.Length && known.Add(string.Join(',', before)))
                cuts.Add(before);
        }
    }

    /// <summary>The cuts of <see cref="All"/>, or a seeded sample where there are more than <paramref name="limit"/>.</summary>
    public static ImmutableArray<ImmutableArray<int>> Sample(ModelGraph graph, int limit, int seed)
    {
        ImmutableArray<ImmutableArray<int>> all = All(graph);
        if (all.Length <= limit)
            return all;
        int[] chosen = [.. Enumerable.Range(0, all.Length)];
        new Random(seed).Shuffle(chosen);
        return [.. chosen.Take(limit).Order().Select(index => all[index])];
    }

    /// <summary>The two parts of a cut.</summary>
    public static ImmutableArray<ImmutableArray<int>> Parts(ModelGraph graph, ImmutableArray<int> before)
    {
        ArgumentNullException.ThrowIfNull(graph);
        return [before, [.. Enumerable.Range(0, graph.Layers.Length).Except(before)]];
    }

    /// <summary>Every layer as a part of its own: the one split that cuts at every value between layers.</summary>
    public static ImmutableArray<ImmutableArray<int>> Everywhere(ModelGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        return [.. graph.Layers.Select(static layer => ImmutableArray.Create(layer.Index))];
    }

    private static ImmutableArray<int> UpTo(ModelGraph graph, int layer)
    {
        var needed = new SortedSet<int> { layer };
        for (int i = layer; i >= 0; i--)
        {
            if (needed.Contains(i))
                needed.UnionWith(graph.Layers[i].Inputs.Select(input => graph.Activations[input].Producer).Where(static producer => producer >= 0));
        }
        return [.. needed];
    }
}
