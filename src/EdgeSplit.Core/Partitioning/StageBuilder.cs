using System.Collections.Immutable;
using EdgeSplit.Models;

namespace EdgeSplit.Partitioning;

/// <summary>Turns an assignment of layers to devices into stages.</summary>
public static class StageBuilder
{
    /// <summary>
    /// Groups layers into stages. A layer's depth is the largest number of changes of device on a path to it; the layers of
    /// one device and one depth form a stage. An edge between different stages always leads to a larger depth, so the
    /// stages form a DAG and each is convex.
    /// </summary>
    /// <param name="graph">The model.</param>
    /// <param name="assignment">The device of each layer.</param>
    /// <param name="layerSeconds">Predicted seconds of each layer on its device; empty for zeros.</param>
    /// <returns>The stages in an order in which they can run.</returns>
    public static ImmutableArray<PlanStage> Build(ModelGraph graph, ReadOnlySpan<int> assignment, ReadOnlySpan<double> layerSeconds = default)
    {
        ArgumentNullException.ThrowIfNull(graph);
        if (assignment.Length != graph.Layers.Length)
            throw new ArgumentException($"The assignment names {assignment.Length} layers; the model has {graph.Layers.Length}.", nameof(assignment));

        var depths = new int[graph.Layers.Length];
        var groups = new SortedDictionary<(int Depth, int Device), List<int>>();
        for (int layer = 0; layer < depths.Length; layer++)
        {
            int depth = 0;
            foreach (int input in graph.Layers[layer].Inputs)
            {
                int producer = graph.Activations[input].Producer;
                if (producer >= 0)
                    depth = Math.Max(depth, depths[producer] + (assignment[producer] == assignment[layer] ? 0 : 1));
            }
            depths[layer] = depth;
            if (!groups.TryGetValue((depth, assignment[layer]), out List<int>? members))
                groups.Add((depth, assignment[layer]), members = []);
            members.Add(layer);
        }

        ImmutableArray<PlanStage>.Builder stages = ImmutableArray.CreateBuilder<PlanStage>(groups.Count);
        foreach (((int _, int device), List<int> layers) in groups)
        {
            var members = layers.ToHashSet();
            double seconds = 0;
            foreach (int layer in layers)
                seconds += layerSeconds.IsEmpty ? 0 : layerSeconds[layer];
            stages.Add(new PlanStage
            {
                Index = stages.Count,
                Device = device,
                Layers = [.. layers],
                Inputs = [.. layers.SelectMany(layer => graph.Layers[layer].Inputs).Distinct()
                    .Where(input => !members.Contains(graph.Activations[input].Producer)).Order()],
                Outputs = [.. layers.SelectMany(layer => graph.Layers[layer].Outputs)
                    .Where(output => graph.Activations[output].IsModelOutput || graph.Activations[output].Consumers.Any(consumer => !members.Contains(consumer))).Order()],
                PredictedSeconds = seconds,
            });
        }
        return stages.MoveToImmutable();
    }
}
