using EdgeSplit.Tensors;
using EdgeSplit.Transport.Framing;
using Microsoft.Extensions.Logging;

namespace EdgeSplit.Transport.Connections;

/// <summary>What a connection needs to know beside its bytes.</summary>
internal sealed record PeerSettings
{
    /// <summary>What this side takes.</summary>
    public required WireLimits Limits { get; init; }

    /// <summary>Takes the bodies of messages.</summary>
    public required TensorBufferPool Pool { get; init; }

    public required TimeProvider TimeProvider { get; init; }

    public required ILogger Logger { get; init; }

    /// <summary>The time between two pings.</summary>
    public required TimeSpan HeartbeatInterval { get; init; }

    /// <summary>A peer of which nothing is heard for this long is lost.</summary>
    public required TimeSpan SilenceLimit { get; init; }

    public static PeerSettings From(AgentServerOptions options, ILogger logger) => new()
    {
        Limits = options.Limits.ToWireLimits(),
        Pool = options.Pool,
        TimeProvider = options.TimeProvider,
        Logger = logger,
        HeartbeatInterval = options.HeartbeatInterval,
        SilenceLimit = options.IdleTimeout,
    };

    public static PeerSettings From(RemoteEdgeAgentOptions options, ILogger logger) => new()
    {
        Limits = options.Limits.ToWireLimits(),
        Pool = options.Pool,
        TimeProvider = options.TimeProvider,
        Logger = logger,
        HeartbeatInterval = options.HeartbeatInterval,
        SilenceLimit = options.IdleTimeout,
    };
}
