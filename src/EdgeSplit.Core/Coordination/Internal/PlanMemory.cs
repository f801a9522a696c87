using System.Collections.Immutable;
using EdgeSplit.Models;
using EdgeSplit.Partitioning;
using EdgeSplit.Partitioning.Internal;

namespace EdgeSplit.Coordination.Internal;

/// <summary>The memory that plans take of devices.</summary>
internal static class PlanMemory
{
    /// <summary>Bytes of the weights of a device's layers, each once, and of the activations that live at the same time.</summary>
    /// <param name="graph">The model.</param>
    /// <param name="routes">The ways of requests: a device holds what any of them needs there.</param>
    /// <param name="device">The device.</param>
    public static long BytesOn(ModelGraph graph, ImmutableArray<PlanRoute> routes, int device)
    {
        var weights = new HashSet<int>();
        long activations = 0;
        foreach (PlanRoute route in routes.Where(route => route.Assignment.Contains(device)))
        {
            for (int layer = 0; layer < route.Assignment.Length; layer++)
            {
                if (route.Assignment[layer] == device)
                    weights.UnionWith(graph.Layers[layer].Weights);
            }
            activations = Math.Max(activations, new ActivationMemory(new CompiledGraph(graph)).PeakBytes(route.Assignment.AsSpan(), device));
        }
        return weights.Sum(weight => graph.Weights[weight].ByteCount) + activations;
    }
}
