using EdgeSplit.Models;

namespace EdgeSplit.Onnx.Layers;

/// <summary>
/// Estimates what a cut costs beyond its transfer, as <c>benchmarks -- cuts</c> measures it: a value that leaves a session is written
/// to memory of its own and read from there, once more than within one session. ONNX Runtime's CPU kernels for convolutions and
/// pooling keep images in a blocked layout from one to the next; a cut between two of them makes the first undo the layout and the
/// second redo it, which moves the value once more.
/// </summary>
internal static class CutPenalties
{
    /// <summary>
    /// Arithmetic operations in the time that a byte takes to memory and back between two sessions: one thread with AVX2 reaches 100 to
    /// 150 GFLOPS, and 8 GB/s there.
    /// </summary>
    private const double OperationsPerByte = 15;

    /// <summary>The same within a session, where most activations stay in the caches.</summary>
    private const double OperationsPerCachedByte = 4;

    private const double PassesOfAnyCut = 1;
    private const double PassesOfBlockedLayout = 2;

    /// <param name="nodes">The layers' nodes.</param>
    /// <param name="layers">The layers with their costs.</param>
    /// <param name="producer">The layer that makes the value.</param>
    /// <param name="consumers">The layers that read it.</param>
    /// <param name="byteCount">The value's size.</param>
    /// <returns>A fraction of the time of the layers next to the cut, at most 1.</returns>
    public static double Estimate(IReadOnlyList<LayerNodes> nodes, IReadOnlyList<Layer> layers, int producer, IReadOnlyList<int> consumers, long byteCount)
    {
        if (producer < 0)
            return 0;
        bool isBlocked = UsesBlockedLayout(nodes[producer]) && consumers.Any(consumer => UsesBlockedLayout(nodes[consumer]));
        double neighbours = Time(layers[producer]) + consumers.Sum(consumer => Time(layers[consumer]));
        double passes = isBlocked ? PassesOfBlockedLayout : PassesOfAnyCut;
        return neighbours > 0 ? Math.Min(1, passes * byteCount * OperationsPerByte / neighbours) : 0;
    }

    private static bool UsesBlockedLayout(LayerNodes layer) => layer.Nodes.Any(OperatorRoles.UsesBlockedLayout);

    /// <summary>The time of a layer, in arithmetic operations.</summary>
    private static double Time(Layer layer) => Math.Max(layer.FloatOperations, layer.ActivationTrafficBytes * OperationsPerCachedByte);
}
