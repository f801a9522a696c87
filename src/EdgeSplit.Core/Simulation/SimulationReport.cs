using System.Collections.Immutable;
using EdgeSplit.Coordination.Adaptation;

namespace EdgeSplit.Simulation;

/// <summary>What came of a scenario.</summary>
public sealed record SimulationReport
{
    /// <summary>The scenario.</summary>
    public required Scenario Scenario { get; init; }

    /// <summary>The model's name.</summary>
    public required string Model { get; init; }

    /// <summary>Requests that came.</summary>
    public long Requests => Windows.Sum(static window => window.Requests);

    /// <summary>Requests that were answered.</summary>
    public long Completed => Windows.Sum(static window => window.Completed);

    /// <summary>Requests that failed, by error.</summary>
    public required ImmutableSortedDictionary<string, long> Failures { get; init; }

    /// <summary>Latency and throughput over time.</summary>
    public required ImmutableArray<SimulationWindow> Windows { get; init; }

    /// <summary>The plans that served, in order; the first one is there when requests start to come.</summary>
    public required ImmutableArray<SimulatedPlan> Plans { get; init; }

    /// <summary>What happened, in order: the scenario's changes as they took effect, and what the coordinator refused.</summary>
    public required ImmutableArray<SimulationNote> Notes { get; init; }

    /// <summary>The coordinator's decisions for or against another plan; their times count from the start of the virtual clock, <see cref="StartTime"/> earlier than the other times here.</summary>
    public required ImmutableArray<RepartitionDecision> Decisions { get; init; }

    /// <summary>The virtual clock when requests start to come: agents have joined and the first plan is ready.</summary>
    public required DateTimeOffset StartTime { get; init; }

    /// <summary>Timers that the virtual clock fired.</summary>
    public long Events { get; init; }
}
