using System.Collections.Immutable;

namespace EdgeSplit.Repositories;

/// <summary>A model's deployment as its coordinator left it.</summary>
/// <param name="ModelName">The model's name in the repository.</param>
/// <param name="Assignment">The id of the agent that ran each layer, by the layer's name.</param>
public sealed record StoredDeployment(string ModelName, ImmutableSortedDictionary<string, string> Assignment)
{
    /// <summary>The routes that requests took in turn, where the plan kept copies of stages; empty where all took the assignment's.</summary>
    public ImmutableArray<StoredRoute> Routes { get; init; } = [];

    /// <summary>Requests per second that plans must sustain; 0 for not known.</summary>
    public double RequestsPerSecond { get; init; }

    /// <summary>Measured seconds of each layer, by the ids of the agents that measured them.</summary>
    public ImmutableSortedDictionary<string, ImmutableArray<double>> MeasuredLayerSeconds { get; init; } = ImmutableSortedDictionary<string, ImmutableArray<double>>.Empty;
}
