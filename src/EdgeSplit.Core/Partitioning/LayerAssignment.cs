using System.Collections.Immutable;

namespace EdgeSplit.Partitioning;

/// <summary>Which device runs which layer, apart from any fleet.</summary>
/// <param name="DeviceIds">The devices.</param>
/// <param name="Devices">For each layer, the position of its device in <paramref name="DeviceIds"/>.</param>
public sealed record LayerAssignment(ImmutableArray<string> DeviceIds, ImmutableArray<int> Devices)
{
    /// <summary>The routes that requests take in turn, whose assignments are positions in <see cref="DeviceIds"/>; empty where all take that of <see cref="Devices"/>.</summary>
    public ImmutableArray<PlanRoute> Routes { get; init; } = [];
}
