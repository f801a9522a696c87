using System.Collections.Immutable;

namespace EdgeSplit.Costs.Internal;

/// <summary>The times that a set of layers took on one device.</summary>
internal sealed class MeasuredStage(ImmutableArray<int> layers, int window)
{
    public ImmutableArray<int> Layers => layers;

    public SampleWindow<double> Seconds { get; } = new(window);

    /// <summary>Grows with each time that is taken in, over all stages.</summary>
    public long LastSeen { get; set; }

    public double TypicalSeconds => Quantiles.Of(Seconds.Samples.ToArray(), 0.5);
}
