using EdgeSplit.Monitoring;

namespace EdgeSplit.Agents;

/// <summary>How an agent's resources are used at one moment.</summary>
public sealed record ResourceReport
{
    /// <summary>The agent.</summary>
    public required string AgentId { get; init; }

    /// <summary>Counts up by one with each report of one run of the agent.</summary>
    public required long SequenceNumber { get; init; }

    /// <summary>When the sample was taken.</summary>
    public required DateTimeOffset Timestamp { get; init; }

    /// <summary>What the machine says.</summary>
    public required ResourceSample Resources { get; init; }

    /// <summary>Partitions loaded.</summary>
    public int LoadedPartitions { get; init; }

    /// <summary>Executions running or waiting.</summary>
    public int PendingExecutions { get; init; }
}
