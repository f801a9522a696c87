using EdgeSplit.Devices;
using EdgeSplit.Monitoring;
using EdgeSplit.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeSplit.Agents;

/// <summary>What an <see cref="EdgeAgent"/> may use and how it behaves.</summary>
public sealed record EdgeAgentOptions
{
    /// <summary>Where weights are kept. Several agents may share one store.</summary>
    /// <value>Default: null, for a temporary folder of the agent's own, deleted when the agent is disposed of.</value>
    public IBlobStore? BlobStore { get; init; }

    /// <summary>Executions that run at the same time, each on a thread of its own.</summary>
    /// <value>Default: 1.</value>
    public int MaxConcurrentExecutions
    {
        get;
        init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "An agent runs at least one execution at a time.");
    } = 1;

    /// <summary>Executions that wait for their turn; further ones fail with <see cref="EdgeSplitError.Overloaded"/>.</summary>
    /// <value>Default: 256.</value>
    public int MaxQueuedExecutions
    {
        get;
        init => field = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A queue's length is 0 or more.");
    } = 256;

    /// <summary>Lets the agent send outputs to other agents directly.</summary>
    /// <value>Default: null, for all outputs to go through the coordinator.</value>
    public IAgentPeers? Peers { get; init; }

    /// <summary>Bytes from other agents that may wait for their runs to begin, 256 for each tensor and its name counted too; more are refused.</summary>
    /// <value>Default: 1 GiB.</value>
    public long MaxDeliveredBytes
    {
        get;
        init => field = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A number of bytes is 0 or more.");
    } = 1L << 30;

    /// <summary>The device as planning shall see it, whatever its id.</summary>
    /// <value>Default: null, to let the runtime measure the device when it is first asked for.</value>
    public Device? Device { get; init; }

    /// <summary>Reads the machine's resources.</summary>
    /// <value>Default: a <see cref="SystemResourceMonitor"/>.</value>
    public IResourceMonitor? Monitor { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Where the agent logs.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;
}
