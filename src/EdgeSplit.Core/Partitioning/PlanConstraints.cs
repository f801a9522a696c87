using System.Collections.Immutable;
using EdgeSplit.Costs;

namespace EdgeSplit.Partitioning;

/// <summary>What an assignment of layers to devices must satisfy, beyond each device's memory and allowed load.</summary>
public sealed record PlanConstraints
{
    /// <summary>Layers that must run on a device, by layer index.</summary>
    public ImmutableDictionary<int, string> Pinned { get; init; } = ImmutableDictionary<int, string>.Empty;

    /// <summary>Devices that must not run a layer.</summary>
    public ImmutableHashSet<(int Layer, string DeviceId)> Forbidden { get; init; } = [];

    /// <summary>Groups of layers that run on one device, whichever.</summary>
    public ImmutableArray<ImmutableArray<int>> Colocated { get; init; } = [];

    /// <summary>The number of leading layers (in topological order) that stay on <see cref="PartitionProblem.SourceDevice"/>, so that others never see what they read.</summary>
    public int PrivateLeadingLayers { get; init; }

    /// <summary>The largest number of devices that a plan may use; null for any.</summary>
    public int? MaximumDevices { get; init; }

    /// <summary>
    /// The largest number of devices that a plan may keep a layer on, so that requests take them in turn: above 1 a stage may have copies,
    /// which raises the throughput for the memory of its weights on each of them.
    /// </summary>
    /// <value>Default: 1, no copies.</value>
    public int MaximumReplicas
    {
        get;
        init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A layer is on 1 device or more.");
    } = 1;

    /// <summary>The constraints that go with a ready-made objective: for throughput copies of stages on as many devices as pays, for others none.</summary>
    public static PlanConstraints ForObjective(PlanObjective objective) => new() { MaximumReplicas = objective == PlanObjective.Throughput ? int.MaxValue : 1 };

    /// <summary>
    /// Whether the memory of each device holds the plan and, beside it, what <see cref="PartitionProblem.CurrentAssignment"/>
    /// has there, as while the old plan's requests drain. Weights of both count once.
    /// </summary>
    /// <value>Default: false.</value>
    public bool HoldsBothEpochs { get; init; }
}
