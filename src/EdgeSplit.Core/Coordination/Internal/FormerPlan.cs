using System.Collections.Immutable;
using EdgeSplit.Repositories;

namespace EdgeSplit.Coordination.Internal;

/// <summary>The plan that a deployment had before its coordinator started anew.</summary>
/// <param name="Assignment">The id of each layer's agent, by the layer's name.</param>
/// <param name="AgentsTimeout">How long to wait for those agents.</param>
internal sealed record FormerPlan(IReadOnlyDictionary<string, string> Assignment, TimeSpan AgentsTimeout)
{
    /// <summary>The routes that requests took in turn; empty where all took the assignment's.</summary>
    public ImmutableArray<StoredRoute> Routes { get; init; } = [];
}
