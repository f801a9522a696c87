using System.Collections.Immutable;
using EdgeSplit.Devices;
using EdgeSplit.Models;

namespace EdgeSplit.Costs.Internal;

/// <summary>What layers are predicted to take.</summary>
internal static class LayerEstimates
{
    /// <summary>Seconds of each layer on a device without other work.</summary>
    /// <param name="graph">The model.</param>
    /// <param name="device">The device.</param>
    /// <param name="costModel">Estimates.</param>
    /// <param name="measured">What was measured, by layer, NaN where nothing was; or default.</param>
    public static double[] Of(ModelGraph graph, Device device, ICostModel costModel, ImmutableArray<double> measured = default)
    {
        Device idle = device with { CurrentLoad = 0 };
        return [.. graph.Layers.Select(layer => costModel.LayerSeconds(
            layer,
            layer.Weights.Distinct().Sum(weight => graph.Weights[weight].ByteCount),
            idle,
            measured.IsDefault || double.IsNaN(measured[layer.Index]) ? null : measured[layer.Index]))];
    }
}
