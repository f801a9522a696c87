using System.Collections.Immutable;
using EdgeSplit.Models;

namespace EdgeSplit.Partitioning;

/// <summary>Finds the places where a model can be cut in two along its order of layers.</summary>
public static class CutPoints
{
    /// <summary>All legal cuts in order. Inputs of the model that are read after a cut do not count as crossing it: they come from the source of the request.</summary>
    public static ImmutableArray<CutPoint> FindAll(ModelGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ImmutableArray<CutPoint>.Builder cuts = ImmutableArray.CreateBuilder<CutPoint>();
        var crossing = new SortedSet<int>();
        double total = Math.Max(graph.FloatOperations, 1);
        double before = 0;
        for (int layer = 0; layer < graph.Layers.Length - 1; layer++)
        {
            before += graph.Layers[layer].FloatOperations;
            foreach (int output in graph.Layers[layer].Outputs)
            {
                if (graph.Activations[output].Consumers.Any(consumer => consumer > layer))
                    crossing.Add(output);
            }
            crossing.RemoveWhere(activation => graph.Activations[activation].Consumers[^1] <= layer);
            if (crossing.All(activation => graph.Activations[activation].CanTravel))
            {
                cuts.Add(new CutPoint(
                    layer,
                    [.. crossing],
                    crossing.Sum(activation => graph.Activations[activation].ByteCount),
                    before / total,
                    crossing.Select(activation => graph.Activations[activation].CutPenalty).DefaultIfEmpty().Max()));
            }
        }
        return cuts.ToImmutable();
    }

    /// <summary>
    /// The cuts that planning would look at first: each sends fewer bytes than any cut within a tenth of the model's
    /// operations around it, the least bytes first.
    /// </summary>
    public static ImmutableArray<CutPoint> FindGood(ModelGraph graph, int maximumCount = 10)
    {
        const double Neighbourhood = 0.05;
        ImmutableArray<CutPoint> all = FindAll(graph);
        return [.. all
            .Where(cut => cut.ByteCount > 0 && !all.Any(other => Math.Abs(other.FloatOperationsBefore - cut.FloatOperationsBefore) <= Neighbourhood && IsBetter(other, cut)))
            .OrderBy(static cut => cut.ByteCount).ThenBy(static cut => cut.AfterLayer)
            .Take(maximumCount)];
    }

    private static bool IsBetter(CutPoint left, CutPoint right) =>
        (left.ByteCount * (1 + left.Penalty)).CompareTo(right.ByteCount * (1 + right.Penalty)) switch
        {
            < 0 => left.ByteCount > 0,
            0 => left.AfterLayer > right.AfterLayer,
            _ => false,
        };
}
