using System.Collections.Immutable;
using EdgeSplit.Models;
using EdgeSplit.Partitioning.Internal;

namespace EdgeSplit.Partitioning;

/// <summary>Turns an assignment of layers to devices into stages.</summary>
public static class StageBuilder
{
    /// <summary>
    /// Groups layers into stages that are maximal: no two stages of one device can become one without a path that leaves the
    /// device and comes back. Every stage is convex and the stages form a DAG, so N contiguous parts on N devices give N stages.
    /// </summary>
    /// <param name="graph">The model.</param>
    /// <param name="assignment">The device of each layer, 0 or more.</param>
    /// <param name="layerSeconds">Predicted seconds of each layer on its device; empty for zeros.</param>
    /// <returns>The stages in an order in which they can run.</returns>
    /// <exception cref="ArgumentException">The assignment has another length than the model, or a negative device.</exception>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.IllegalCut"/>: a value would cross that cannot travel.</exception>
    public static ImmutableArray<PlanStage> Build(ModelGraph graph, ReadOnlySpan<int> assignment, ReadOnlySpan<double> layerSeconds = default)
    {
        ArgumentNullException.ThrowIfNull(graph);
        if (assignment.Length != graph.Layers.Length)
            throw new ArgumentException($"The assignment names {assignment.Length} layers; the model has {graph.Layers.Length}.", nameof(assignment));
        foreach (int device in assignment)
            ArgumentOutOfRangeException.ThrowIfNegative(device, nameof(assignment));

        var compiled = new CompiledGraph(graph);
        foreach (int[] atom in compiled.Atoms.Layers)
        {
            foreach (int layer in atom)
            {
                if (assignment[layer] != assignment[atom[0]])
                    throw new EdgeSplitException(EdgeSplitError.IllegalCut, DescribeSplitAtom(graph, atom));
            }
        }
        var grouping = new StageGrouping(compiled);
        grouping.Build(assignment);
        return Build(compiled, grouping, layerSeconds);
    }

    internal static ImmutableArray<PlanStage> Build(CompiledGraph graph, StageGrouping grouping, ReadOnlySpan<double> layerSeconds)
    {
        var layers = new List<int>[grouping.Count];
        var inputs = new List<int>[grouping.Count];
        var outputs = new List<int>[grouping.Count];
        for (int group = 0; group < grouping.Count; group++)
            (layers[group], inputs[group], outputs[group]) = ([], [], []);
        for (int layer = 0; layer < graph.LayerCount; layer++)
            layers[grouping.GroupOf[layer]].Add(layer);
        for (int value = 0; value < graph.ValueCount; value++)
        {
            int producer = graph.Producers[value];
            int home = producer < 0 ? -1 : grouping.GroupOf[producer];
            bool leaves = graph.IsOutput[value];
            foreach (int consumer in graph.Consumers(value))
            {
                int group = grouping.GroupOf[consumer];
                if (group == home)
                    continue;
                leaves = true;
                // Values come in ascending order, so a value that is listed already is the last one.
                if (inputs[group].Count == 0 || inputs[group][^1] != value)
                    inputs[group].Add(value);
            }
            if (leaves && home >= 0)
                outputs[home].Add(value);
        }

        ImmutableArray<PlanStage>.Builder stages = ImmutableArray.CreateBuilder<PlanStage>(grouping.Count);
        foreach (int group in grouping.Order)
        {
            double seconds = 0;
            foreach (int layer in layers[group])
                seconds += layerSeconds.IsEmpty ? 0 : layerSeconds[layer];
            stages.Add(new PlanStage
            {
                Index = stages.Count,
                Device = grouping.DeviceOf(group),
                Layers = [.. layers[group]],
                Inputs = [.. inputs[group]],
                Outputs = [.. outputs[group]],
                PredictedSeconds = seconds,
            });
        }
        return stages.MoveToImmutable();
    }

    /// <summary>Says why the layers of an atom must stay together.</summary>
    internal static string DescribeSplitAtom(ModelGraph graph, int[] atom)
    {
        var members = atom.ToHashSet();
        Activation welding = graph.Activations.First(activation => !activation.CanTravel && activation.Consumers.Any(members.Contains));
        return $"'{welding.Info.Name}' of model '{graph.Name}' cannot travel between devices, so these layers must be on one: "
            + string.Join(", ", atom.Take(8).Select(layer => $"'{graph.Layers[layer].Name}'")) + (atom.Length > 8 ? $" and {atom.Length - 8} more." : ".");
    }
}
