using System.Collections.Immutable;

namespace EdgeSplit.Simulation;

/// <summary>Devices, the requests that come, and what changes meanwhile.</summary>
public sealed record Scenario
{
    /// <summary>A name to show.</summary>
    public string Name { get; init; } = "scenario";

    /// <summary>How long requests come.</summary>
    /// <value>Default: 60 s.</value>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The seed of whatever is random: arrivals and noise.</summary>
    public int Seed { get; init; }

    /// <summary>The machines.</summary>
    public required ImmutableArray<ScenarioDevice> Devices { get; init; }

    /// <summary>Requests per second at the start; they come at random, independent of each other (a Poisson process), whether earlier ones are answered or not.</summary>
    /// <value>Default: 1.</value>
    public double RequestsPerSecond { get; init; } = 1;

    /// <summary>How long a caller waits for an answer.</summary>
    /// <value>Default: 30 s.</value>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The largest deviation of times and reports at the start, as a share: 0.2 for ±20%.</summary>
    public double Noise { get; init; }

    /// <summary>What changes, in any order.</summary>
    public ImmutableArray<ScenarioChange> Changes { get; init; } = [];
}
