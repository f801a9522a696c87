using System.Globalization;
using EdgeSplit.Models;
using EdgeSplit.Onnx;

namespace EdgeSplit.Tool;

/// <summary>Why cuts that are legal are not wise.</summary>
internal static class CutRemarks
{
    private const double WorthTelling = 0.05;

    /// <summary>One sentence for each value that crosses between stages where that costs time beyond its transfer.</summary>
    public static IEnumerable<string> Of(Cutting cutting, string path, OnnxModelOptions options, CancellationToken cancellationToken)
    {
        Dictionary<string, Activation> between = GroupedGraph(cutting, path, options, cancellationToken).Activations.ToDictionary(static activation => activation.Info.Name);
        var stageOf = new int[cutting.Model.Graph.Layers.Length];
        for (int stage = 0; stage < cutting.Stages.Length; stage++)
        {
            foreach (int layer in cutting.Stages[stage])
                stageOf[layer] = stage;
        }
        foreach (Activation activation in cutting.Model.Graph.Activations)
        {
            if (activation.Producer < 0 || activation.Consumers.All(consumer => stageOf[consumer] == stageOf[activation.Producer]))
                continue;
            string name = activation.Info.Name;
            if (!between.TryGetValue(name, out Activation? known))
                yield return $"note: '{name}' lies inside operators that ONNX Runtime runs as one; cut there they run one by one, and slower. 'edgesplit inspect' lists better places.";
            else if (known.CutPenalty > WorthTelling)
                yield return string.Create(CultureInfo.InvariantCulture, $"note: the cut at '{name}' slows the layers beside it by about {known.CutPenalty:0%}, as the value leaves the memory layout of the kernels or the caches.");
        }
    }

    private static ModelGraph GroupedGraph(Cutting cutting, string path, OnnxModelOptions options, CancellationToken cancellationToken)
    {
        if (cutting.Grouping == LayerGrouping.Fused)
            return cutting.Model.Graph;
        using OnnxModel grouped = OnnxModel.Open(path, options with { Grouping = LayerGrouping.Fused }, cancellationToken);
        return grouped.Graph;
    }
}
