using EdgeSplit.Devices;
using EdgeSplit.Models;

namespace EdgeSplit.Costs;

/// <summary>
/// The default cost model. A layer takes what its device measured, or else the roofline estimate: the larger of operations
/// over the arithmetic rate and bytes over the memory rate (Williams, Waterman, Patterson: "Roofline", CACM 2009), plus a
/// fixed overhead; both grow by what other work takes of the device. The objective is the weighted sum of
/// <see cref="WeightedCostOptions"/>.
/// </summary>
public sealed class WeightedCostModel : ICostModel
{
    /// <summary>Creates a cost model.</summary>
    /// <param name="options">The weights; all 1 where null.</param>
    /// <param name="name">A name to show.</param>
    public WeightedCostModel(WeightedCostOptions? options = null, string name = "weighted")
    {
        Options = options ?? new WeightedCostOptions();
        Name = name;
        Measures = (Options.Latency > 0 ? PlanMeasures.Latency : 0)
            | (Options.Bandwidth > 0 ? PlanMeasures.TransferredBytes : 0)
            | (Options.Energy > 0 ? PlanMeasures.Energy : 0)
            | (Options.Load > 0 ? PlanMeasures.Bottleneck : 0);
    }

    /// <summary>The weights.</summary>
    public WeightedCostOptions Options { get; }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public PlanMeasures Measures { get; }

    /// <summary>The cost model of a ready-made objective; its unit is seconds, joules for <see cref="PlanObjective.Energy"/>.</summary>
    public static WeightedCostModel ForObjective(PlanObjective objective)
    {
        var none = new WeightedCostOptions { Latency = 0, Bandwidth = 0, Energy = 0, Load = 0 };
        return objective switch
        {
            PlanObjective.Latency => new(none with { Latency = 1 }, "latency"),
            PlanObjective.Throughput => new(none with { Load = 1 }, "throughput"),
            PlanObjective.Energy => new(none with { Energy = 1, ReferenceWatts = 1 }, "energy"),
            PlanObjective.Weighted => new(),
            _ => throw new ArgumentOutOfRangeException(nameof(objective), objective, "There is no such objective."),
        };
    }

    /// <inheritdoc/>
    public double LayerSeconds(Layer layer, long weightBytes, Device device, double? measuredSeconds)
    {
        double free = 1 - device.CurrentLoad;
        if (free <= 0)
            return double.PositiveInfinity;
        if (measuredSeconds is double measured)
            return measured / free;
        double compute = layer.FloatOperations / device.FlopsPerSecond;
        double memory = (layer.ActivationTrafficBytes + weightBytes) / device.MemoryBytesPerSecond;
        return (Math.Max(compute, memory) + device.LayerOverheadSeconds) / free;
    }

    /// <inheritdoc/>
    public double TransferSeconds(long byteCount, Link link) => byteCount * link.SecondsPerByte;

    /// <inheritdoc/>
    public double Combine(in PlanCost cost) =>
        (Options.Latency * cost.LatencySeconds)
        + (Options.Bandwidth * cost.TransferredBytes / Options.ReferenceBytesPerSecond)
        + (Options.Energy * cost.EnergyJoules / Options.ReferenceWatts)
        + (Options.Load * cost.BottleneckSeconds);
}
