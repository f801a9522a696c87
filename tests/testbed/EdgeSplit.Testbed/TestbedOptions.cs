using EdgeSplit.Coordination;

namespace EdgeSplit.Testbed;

/// <summary>What a testbed consists of.</summary>
public sealed record TestbedOptions
{
    /// <summary>The number of agents.</summary>
    /// <value>Default: 3.</value>
    public int Agents { get; init; } = 3;

    /// <summary>Whether each agent has a network namespace and a control group; else they are plain processes on loopback.</summary>
    /// <value>Default: where the machine allows it.</value>
    public bool HasNetworks { get; init; } = TestbedSupport.NoNetworksReason is null;

    /// <summary>The first limit of each agent's processors; null for none.</summary>
    public double? Processors { get; init; }

    /// <summary>The first limit of each agent's link, in each direction; null for none.</summary>
    public double? LinkBytesPerSecond { get; init; }

    /// <summary>The folder of the agents' weights, to outlive the testbed; null for one of its own.</summary>
    public string? BlobsFolder { get; init; }

    /// <summary>Done to each agent before its process starts, such as to limit it otherwise than the rest.</summary>
    public Action<TestbedAgent>? Prepare { get; init; }

    /// <summary>How the coordinator plans and serves.</summary>
    public CoordinatorOptions Coordinator { get; init; } = new();
}
