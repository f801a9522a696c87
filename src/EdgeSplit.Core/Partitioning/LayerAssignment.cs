using System.Collections.Immutable;

namespace EdgeSplit.Partitioning;

/// <summary>Which device runs which layer, apart from any fleet.</summary>
/// <param name="DeviceIds">The devices.</param>
/// <param name="Devices">For each layer, the position of its device in <paramref name="DeviceIds"/>.</param>
public sealed record LayerAssignment(ImmutableArray<string> DeviceIds, ImmutableArray<int> Devices);
