using System.Collections.Immutable;

namespace EdgeSplit.Coordination;

/// <summary>What became of a request.</summary>
/// <param name="Model">The model's name.</param>
/// <param name="Epoch">The number of the plan that answered it; of a request that failed, of the plan then in use.</param>
/// <param name="Ended">When it ended.</param>
/// <param name="Latency">The time from its call to its end.</param>
/// <param name="Stages">What its stages took; empty for a request that failed.</param>
/// <param name="Error">The code of its failure; null for a request that was answered.</param>
public sealed record RequestOutcome(string Model, long Epoch, DateTimeOffset Ended, TimeSpan Latency, ImmutableArray<StageTiming> Stages, string? Error);
