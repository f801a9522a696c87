using System.Collections.Immutable;
using EdgeSplit.Models;
using EdgeSplit.Onnx.Graphs;
using EdgeSplit.Onnx.Layers;

namespace EdgeSplit.Onnx.Splitting;

/// <summary>Finds what comes before a cut that is given by tensor names.</summary>
internal static class CutFinder
{
    private const int MaxSuggestions = 3;

    public static ImmutableArray<int> LayersUpTo(OnnxGraph graph, ModelGraph model, ImmutableArray<LayerNodes> layers, IReadOnlyCollection<string> tensors)
    {
        var owners = new Dictionary<GraphNode, int>(ReferenceEqualityComparer.Instance);
        for (int i = 0; i < layers.Length; i++)
        {
            foreach (GraphNode node in layers[i].Nodes)
                owners[node] = i;
        }
        var needed = new SortedSet<int>();
        var pending = new Stack<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (string tensor in tensors)
        {
            Check(graph, model, tensor);
            pending.Push(tensor);
        }
        // A value that is recomputed in each part belongs to no layer; the layers up to it are those up to its roots.
        while (pending.TryPop(out string? value))
        {
            if (!seen.Add(value) || graph.ProducerOf(value) is not { } maker || graph.IsConstant(maker))
                continue;
            if (owners.TryGetValue(maker, out int layer) && needed.Add(layer))
            {
                foreach (int input in model.Layers[layer].Inputs)
                    pending.Push(model.Activations[input].Info.Name);
            }
            else if (!owners.ContainsKey(maker))
            {
                foreach (string input in maker.Inputs)
                    pending.Push(input);
            }
        }
        string names = string.Join(", ", tensors.Select(static tensor => $"'{tensor}'"));
        if (needed.Count == 0)
            throw Illegal(model, $"nothing that takes work comes before {names}: each part computes it from the model's inputs");
        if (needed.Count == layers.Length)
            throw Illegal(model, $"nothing comes after {names}");
        return [.. needed];
    }

    private static void Check(OnnxGraph graph, ModelGraph model, string tensor)
    {
        if (graph.IsRequiredInput(tensor) || graph.DeclaredInputs.ContainsKey(tensor))
            throw Illegal(model, $"'{tensor}' is an input of the model, so nothing comes before it");
        if (graph.IsConstant(tensor))
            throw Illegal(model, $"'{tensor}' is a constant, which every part that needs it has itself");
        if (graph.ProducerOf(tensor) is not null)
            return;
        string[] close = [.. graph.Nodes.SelectMany(static node => node.Outputs)
            .Select(name => (Name: name, Distance: EditDistance.Between(name, tensor)))
            .Where(candidate => candidate.Distance <= Math.Max(2, tensor.Length / 3))
            .OrderBy(static candidate => candidate.Distance).ThenBy(static candidate => candidate.Name, StringComparer.Ordinal)
            .Take(MaxSuggestions).Select(static candidate => $"'{candidate.Name}'")];
        throw new EdgeSplitException(EdgeSplitError.NotFound, $"The model '{model.Name}' has no tensor '{tensor}'."
            + (close.Length > 0 ? $" Did you mean {string.Join(" or ", close)}?" : " `edgesplit inspect` lists its tensors."));
    }

    private static EdgeSplitException Illegal(ModelGraph model, string what) =>
        new(EdgeSplitError.IllegalCut, $"'{model.Name}' cannot be cut there: {what}.");
}
