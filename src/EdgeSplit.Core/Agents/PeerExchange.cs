using System.Collections.Immutable;

namespace EdgeSplit.Agents;

/// <summary>What a stage exchanges with other agents without its coordinator.</summary>
/// <param name="Awaited">Inputs that other agents send; the run starts when they are there.</param>
/// <param name="Deliveries">Outputs that go to other agents.</param>
/// <param name="Returned">Outputs that come back in the result.</param>
public sealed record PeerExchange(ImmutableArray<string> Awaited, ImmutableArray<PeerDelivery> Deliveries, ImmutableArray<string> Returned);
