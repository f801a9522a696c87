using System.Collections.Immutable;

namespace EdgeSplit.Costs;

/// <summary>How far measured times are from predicted ones: 2 is twice as long as predicted.</summary>
/// <param name="Devices">By the ids of devices.</param>
/// <param name="Links">By the ids of sender and receiver.</param>
public sealed record CorrectionFactors(ImmutableDictionary<string, double> Devices, ImmutableDictionary<(string From, string To), double> Links);
