using EdgeSplit.Devices;
using EdgeSplit.Models;

namespace EdgeSplit.Costs;

/// <summary>
/// What a layer costs on a device, what a transfer costs on a link, and how a plan's latency, bytes, energy and load
/// add up to the one number that partitioners minimise.
/// </summary>
/// <remarks>
/// Implementations are thread-safe, pure (the same arguments give the same result) and allocate nothing: partitioners
/// call them millions of times. They return finite numbers of 0 or more; an infinite <see cref="LayerSeconds"/> says that
/// the device cannot run the layer.
/// </remarks>
public interface ICostModel
{
    /// <summary>A name to show.</summary>
    string Name { get; }

    /// <summary>
    /// What <see cref="Combine"/> looks at. Partitioners leave the other parts of the cost at 0 while they search, which is
    /// much faster where the latency is not needed.
    /// </summary>
    /// <value>Default: everything.</value>
    PlanMeasures Measures => PlanMeasures.All;

    /// <summary>Seconds that a layer takes on a device.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="weightBytes">The bytes of the weights that the layer reads.</param>
    /// <param name="device">The device, its current load included.</param>
    /// <param name="measuredSeconds">What the device measured for this layer when otherwise idle, or null.</param>
    double LayerSeconds(Layer layer, long weightBytes, Device device, double? measuredSeconds);

    /// <summary>Seconds that a link is busy with some bytes of tensors, its latency not included; <see cref="Link.SecondsPerByte"/> counts its compression.</summary>
    double TransferSeconds(long byteCount, Link link);

    /// <summary>
    /// The one number to minimise. It never falls when a part of the cost grows and the others stay: lower bounds rest on that.
    /// </summary>
    double Combine(in PlanCost cost);
}
