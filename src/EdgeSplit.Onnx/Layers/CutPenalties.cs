using EdgeSplit.Models;

namespace EdgeSplit.Onnx.Layers;

/// <summary>
/// Estimates what a cut costs beyond its transfer. ONNX Runtime's CPU kernels for convolutions and pooling keep images in a
/// blocked layout from one to the next; a cut between two of them makes the first undo the layout and the second redo it,
/// which moves the value through memory twice. Against the roofline time of the layers next to it, that is little for
/// ResNet and a third for MobileNet, as measured (docs/splitting.md).
/// </summary>
internal static class CutPenalties
{
    /// <summary>Arithmetic operations in the time of moving one byte: about 50 GFLOPS to 10 GB/s for one thread with AVX2.</summary>
    private const double OperationsPerByte = 5;

    /// <summary>The undone and the redone layout.</summary>
    private const double ExtraPasses = 2;

    /// <param name="nodes">The layers' nodes.</param>
    /// <param name="layers">The layers with their costs.</param>
    /// <param name="producer">The layer that makes the value.</param>
    /// <param name="consumers">The layers that read it.</param>
    /// <param name="byteCount">The value's size.</param>
    /// <returns>A fraction of the time of the layers next to the cut, at most 1.</returns>
    public static double Estimate(IReadOnlyList<LayerNodes> nodes, IReadOnlyList<Layer> layers, int producer, IReadOnlyList<int> consumers, long byteCount)
    {
        if (producer < 0 || !UsesBlockedLayout(nodes[producer]) || !consumers.Any(consumer => UsesBlockedLayout(nodes[consumer])))
            return 0;
        double neighbours = Time(layers[producer]) + consumers.Sum(consumer => Time(layers[consumer]));
        return Math.Min(1, ExtraPasses * byteCount * OperationsPerByte / neighbours);
    }

    private static bool UsesBlockedLayout(LayerNodes layer) => layer.Nodes.Any(OperatorRoles.UsesBlockedLayout);

    /// <summary>The time of a layer, in arithmetic operations.</summary>
    private static double Time(Layer layer) => Math.Max(layer.FloatOperations, layer.ActivationTrafficBytes * OperationsPerByte);
}
