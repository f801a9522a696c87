using System.Collections.Immutable;
using EdgeSplit.Models;
using EdgeSplit.Partitioning.Internal;

namespace EdgeSplit.Coordination.Internal;

/// <summary>The memory that an assignment of layers takes of devices.</summary>
internal static class PlanMemory
{
    /// <summary>Bytes of the weights of a device's layers, each once, and of the activations that live at the same time.</summary>
    /// <param name="graph">The model.</param>
    /// <param name="assignment">The device of each layer.</param>
    /// <param name="device">The device.</param>
    public static long BytesOn(ModelGraph graph, ImmutableArray<int> assignment, int device)
    {
        if (!assignment.Contains(device))
            return 0;
        var weights = new HashSet<int>();
        for (int layer = 0; layer < assignment.Length; layer++)
        {
            if (assignment[layer] == device)
                weights.UnionWith(graph.Layers[layer].Weights);
        }
        return weights.Sum(weight => graph.Weights[weight].ByteCount) + new ActivationMemory(new CompiledGraph(graph)).PeakBytes(assignment.AsSpan(), device);
    }
}
