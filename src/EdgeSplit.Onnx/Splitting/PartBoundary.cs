using System.Collections.Immutable;
using EdgeSplit.Models;

namespace EdgeSplit.Onnx.Splitting;

/// <summary>Checks that layers can be a part, and finds what enters and leaves it.</summary>
internal static class PartBoundary
{
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.IllegalCut"/>.</exception>
    public static (ImmutableArray<string> Inputs, ImmutableArray<string> Outputs) Of(ModelGraph graph, IReadOnlyCollection<int> layers)
    {
        var members = new SortedSet<int>(layers);
        if (members.Count == 0)
            throw Illegal(graph, "a part has at least one layer");
        if (members.Min < 0 || members.Max >= graph.Layers.Length)
            throw Illegal(graph, $"there is no layer {(members.Min < 0 ? members.Min : members.Max)}; the model has {graph.Layers.Length}");
        CheckConvex(graph, members);

        ImmutableArray<Activation> inputs = [.. members.SelectMany(layer => graph.Layers[layer].Inputs).Distinct().Order()
            .Select(index => graph.Activations[index]).Where(value => !members.Contains(value.Producer))];
        ImmutableArray<Activation> outputs = [.. members.SelectMany(layer => graph.Layers[layer].Outputs).Order()
            .Select(index => graph.Activations[index]).Where(value => value.IsModelOutput || value.Consumers.Any(reader => !members.Contains(reader)))];
        foreach (Activation value in inputs.Where(static value => value.Producer != Activation.ModelInput)
            .Concat(outputs.Where(value => value.Consumers.Any(reader => !members.Contains(reader)))))
        {
            if (!value.CanTravel)
                throw Illegal(graph, $"'{value.Info.Name}' would cross the cut, and it is no tensor or its type is unknown");
        }
        return ([.. inputs.Select(static value => value.Info.Name)], [.. outputs.Select(static value => value.Info.Name)]);
    }

    private static void CheckConvex(ModelGraph graph, SortedSet<int> members)
    {
        var outside = new HashSet<int>();
        for (int layer = members.Min; layer <= members.Max; layer++)
        {
            foreach (int input in graph.Layers[layer].Inputs)
            {
                int producer = graph.Activations[input].Producer;
                if (members.Contains(layer) && outside.Contains(producer))
                    throw Illegal(graph, $"a path leaves the part and comes back through '{graph.Activations[input].Info.Name}' to layer '{graph.Layers[layer].Name}'");
                if (!members.Contains(layer) && (members.Contains(producer) || outside.Contains(producer)))
                    outside.Add(layer);
            }
        }
    }

    private static EdgeSplitException Illegal(ModelGraph graph, string what) =>
        new(EdgeSplitError.IllegalCut, $"These layers cannot be a part of '{graph.Name}': {what}.");
}
