using System.Collections.Immutable;
using EdgeSplit.Models;
using EdgeSplit.Partitioning;

namespace EdgeSplit.Costs.Internal;

/// <summary>Cuts a model into parts of about equal work.</summary>
internal static class ModelSegments
{
    /// <summary>How far from its even place a cut may lie to cross less, as a share of a segment.</summary>
    private const double Tolerance = 0.35;

    /// <summary>The layers of each segment: legal cuts near even shares of the time, where the fewest bytes cross.</summary>
    public static ImmutableArray<ImmutableArray<int>> Of(ModelGraph graph, double[] layerSeconds, int count)
    {
        double[] before = new double[layerSeconds.Length + 1];
        for (int i = 0; i < layerSeconds.Length; i++)
            before[i + 1] = before[i] + layerSeconds[i];
        ImmutableArray<CutPoint> cuts = CutPoints.FindAll(graph);
        var starts = new List<int> { 0 };
        for (int segment = 1; segment < count; segment++)
        {
            double target = before[^1] * segment / count, reach = before[^1] * Tolerance / count;
            CutPoint? best = cuts
                .Where(cut => cut.AfterLayer >= starts[^1] && Math.Abs(before[cut.AfterLayer + 1] - target) <= reach)
                .MinBy(static cut => cut.ByteCount * (1 + cut.Penalty));
            if (best is not null)
                starts.Add(best.AfterLayer + 1);
        }
        starts.Add(layerSeconds.Length);
        return [.. starts.Zip(starts.Skip(1), static (start, end) => Enumerable.Range(start, end - start).ToImmutableArray())];
    }
}
