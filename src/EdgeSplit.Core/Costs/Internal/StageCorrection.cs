using System.Collections.Immutable;
using EdgeSplit.Devices;
using EdgeSplit.Partitioning;

namespace EdgeSplit.Costs.Internal;

/// <summary>The corrected times of a model's layers on one device.</summary>
/// <param name="LayerSeconds">Seconds of each layer on the otherwise idle device.</param>
/// <param name="Factor">What the times of the stages grew by, the longer stages counting more.</param>
internal sealed record StageCorrection(ImmutableArray<double> LayerSeconds, double Factor)
{
    /// <summary>Corrects a device's layers; null where no stage of it was measured.</summary>
    public static StageCorrection? For(PartitionProblem problem, Device device, IEnumerable<MeasuredStage> stages)
    {
        int layerCount = problem.Graph.Layers.Length;
        MeasuredStage[] known = [.. stages.Where(stage => stage.Layers[^1] < layerCount).OrderBy(static stage => stage.LastSeen)];
        if (known.Length == 0 || !device.RunsLayers)
            return null;

        double[] predicted = Predicted(problem, device);
        double[] ratios = new double[layerCount];
        double allMeasured = 0, allPredicted = 0;
        foreach (MeasuredStage stage in known)
        {
            double measured = stage.TypicalSeconds, expected = stage.Layers.Sum(layer => predicted[layer]);
            if (!(expected > 0) || double.IsInfinity(expected))
                continue;
            allMeasured += measured;
            allPredicted += expected;
            foreach (int layer in stage.Layers)
                ratios[layer] = measured / expected;
        }
        if (allPredicted == 0 || allMeasured == 0)
            return null;
        double factor = allMeasured / allPredicted;
        return new StageCorrection([.. predicted.Select((seconds, layer) => seconds * (ratios[layer] > 0 ? ratios[layer] : factor))], factor);
    }

    private static double[] Predicted(PartitionProblem problem, Device device)
    {
        Device idle = device with { CurrentLoad = 0 };
        ImmutableArray<double> measured = problem.MeasuredLayerSeconds.GetValueOrDefault(device.Id);
        return [.. problem.Graph.Layers.Select(layer => problem.CostModel.LayerSeconds(
            layer,
            layer.Weights.Distinct().Sum(weight => problem.Graph.Weights[weight].ByteCount),
            idle,
            measured.IsDefault || double.IsNaN(measured[layer.Index]) ? null : measured[layer.Index]))];
    }
}
