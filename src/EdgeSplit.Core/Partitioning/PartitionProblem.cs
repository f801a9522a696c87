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

    /// <summary>Seconds that each layer took, by the ids of the devices that measured them; devices not listed are estimated.</summary>
    public ImmutableDictionary<string, ImmutableArray<double>> MeasuredLayerSeconds { get; init; } = ImmutableDictionary<string, ImmutableArray<double>>.Empty;

    /// <summary>What an assignment must satisfy beyond memory and load.</summary>
    public PlanConstraints Constraints { get; init; } = new();

    /// <summary>Where to start from when re-planning: the device of each layer, or default.</summary>
    public ImmutableArray<int> CurrentAssignment { get; init; }

    /// <summary>The seed of whatever is random.</summary>
    public int Seed { get; init; }
}
