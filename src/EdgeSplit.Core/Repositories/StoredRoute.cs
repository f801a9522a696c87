using System.Collections.Immutable;

namespace EdgeSplit.Repositories;

/// <summary>One of the routes that requests took in turn through a deployed plan.</summary>
/// <param name="Share">The share of requests that took it.</param>
/// <param name="Moved">The id of the agent that ran a layer, by the layer's name, for the layers that <see cref="StoredDeployment.Assignment"/> has elsewhere.</param>
public sealed record StoredRoute(double Share, ImmutableSortedDictionary<string, string> Moved);
