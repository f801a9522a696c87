using System.Collections.Immutable;
using EdgeSplit.Costs;
using EdgeSplit.Devices;
using EdgeSplit.Models;

namespace EdgeSplit.Partitioning;

/// <summary>A model to place on a fleet, under a cost model and constraints. Immutable.</summary>
public sealed record PartitionProblem
{
    /// <summary>The model.</summary>
    public required ModelGraph Graph { get; init; }

    /// <summary>The devices and links.</summary>
    public required Fleet Fleet { get; init; }

    /// <summary>What is minimised.</summary>
    public required ICostModel CostModel { get; init; }

    /// <summary>The position in the fleet of the device where requests come from and results go; -1 where both are free of cost.</summary>
    public int SourceDevice { get; init; } = -1;

    /// <summary>
    /// Whether a device computes while it sends and receives. Where not, a transfer keeps both of its ends from computing.
    /// </summary>
    /// <value>Default: true.</value>
    public bool OverlapTransfers { get; init; } = true;

    /// <summary>
    /// The position in the fleet of the device through which every value passes that goes from one device to another, -1 where
    /// devices send to each other directly. A value is sent to the relay once and fetched from there by each device that needs it.
    /// </summary>
    /// <value>Default: -1.</value>
    public int RelayDevice { get; init; } = -1;

    /// <summary>
    /// The pairs of sender and receiver, by their positions in the fleet, that send directly all the same: over their own link, once for each
    /// receiver. Without meaning where there is no <see cref="RelayDevice"/>.
    /// </summary>
    /// <value>Default: none.</value>
    public ImmutableHashSet<(int From, int To)> DirectPairs { get; init; } = [];

    /// <summary>
    /// The requests per second that the plan must sustain; with it, no device's share of busy time goes above its
    /// <see cref="Device.AllowedLoad"/>. At 0 (not known) only devices that are above it already are left out.
    /// </summary>
    /// <value>Default: 0.</value>
    public double RequestsPerSecond { get; init; }

    /// <summary>Seconds that each layer took, by the ids of the devices that measured them; devices not listed, and layers where it says NaN, are estimated.</summary>
    public ImmutableDictionary<string, ImmutableArray<double>> MeasuredLayerSeconds { get; init; } = ImmutableDictionary<string, ImmutableArray<double>>.Empty;

    /// <summary>What an assignment must satisfy beyond memory and load.</summary>
    public PlanConstraints Constraints { get; init; } = new();

    /// <summary>Where to start from when re-planning: the device of each layer (-1 where it has gone), or default.</summary>
    public ImmutableArray<int> CurrentAssignment { get; init; }

    /// <summary>Where requests take several routes through the current plan, those; <see cref="CurrentAssignment"/> is then that of the first.</summary>
    public ImmutableArray<PlanRoute> CurrentRoutes { get; init; } = [];

    /// <summary>Whether no device of the current plan has gone.</summary>
    internal bool IsCurrentComplete => !CurrentRoutes.Any(static route => route.Assignment.Contains(-1));

    /// <summary>The seed of whatever is random.</summary>
    public int Seed { get; init; }
}
