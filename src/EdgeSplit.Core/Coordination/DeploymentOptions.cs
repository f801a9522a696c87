using System.Collections.Immutable;
using EdgeSplit.Coordination.Batching;
using EdgeSplit.Partitioning;

namespace EdgeSplit.Coordination;

/// <summary>How one model is deployed; what is null is as the <see cref="CoordinatorOptions"/> say.</summary>
public sealed record DeploymentOptions
{
    /// <summary>The model's name in logs, metrics, errors and the repository.</summary>
    /// <value>Default: null, for the file's name without extension.</value>
    public string? Name { get; init; }

    /// <summary>Decides which device runs which layer.</summary>
    public IPartitioner? Partitioner { get; init; }

    /// <summary>The first plan, whose devices are named as the agents.</summary>
    /// <value>Default: null, to let the partitioner decide.</value>
    public PartitionPlan? Plan { get; init; }

    /// <summary>What every plan of this model must satisfy.</summary>
    public PlanConstraints? Constraints { get; init; }

    /// <summary>Requests per second that plans must sustain within the devices' allowed load; 0 for not known.</summary>
    public double RequestsPerSecond
    {
        get;
        init => field = value >= 0 && double.IsFinite(value) ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A rate is a finite number of 0 or more.");
    }

    /// <summary>Seconds of each layer by the ids of the agents that measured them (<see cref="Costs.AgentProfiler"/>); others are estimated.</summary>
    public ImmutableDictionary<string, ImmutableArray<double>> MeasuredLayerSeconds { get; init; } = ImmutableDictionary<string, ImmutableArray<double>>.Empty;

    /// <summary>Joins small requests that come at about the same time, where the model allows it.</summary>
    public BatchingOptions? Batching { get; init; }

    /// <summary>Told how the deployment, and each later switch to another plan, gets on.</summary>
    public IProgress<DeploymentProgress>? Progress { get; init; }
}
