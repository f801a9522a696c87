using EdgeSplit.Tensors;
using EdgeSplit.Transport.Duplex;
using EdgeSplit.Transport.Security;
using Microsoft.Extensions.Logging;

namespace EdgeSplit.Transport;

/// <summary>How a <see cref="RemoteEdgeAgent"/> connects.</summary>
public sealed record RemoteEdgeAgentOptions
{
    /// <summary>Encrypts the connection; null if the agent does not.</summary>
    public TlsClientOptions? Tls { get; init; }

    /// <summary>The secret that the agent was started with; null if it asks for none. The agent must prove to know it too.</summary>
    public JoinToken? JoinToken { get; init; }

    /// <summary>What is taken from the agent.</summary>
    public TransportLimits Limits { get; init; } = new();

    /// <summary>The time that connecting may take, handshake included.</summary>
    /// <value>Default: 10 seconds.</value>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The time that one request may take; then it is taken back and fails with <see cref="EdgeSplitError.DeadlineExceeded"/>.</summary>
    /// <value>Default: no limit. Loads have none in any case.</value>
    public TimeSpan RequestTimeout { get; init; } = Timeout.InfiniteTimeSpan;

    /// <summary>The time between two heartbeats.</summary>
    /// <value>Default: 5 seconds.</value>
    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>An agent from which nothing arrives for this long, not even a heartbeat, is given up.</summary>
    /// <value>Default: 20 seconds.</value>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>What makes connections.</summary>
    /// <value>Default: TCP.</value>
    public IDuplexTransport Transport { get; init; } = TcpTransport.Instance;

    /// <summary>Gives the memory for tensors that arrive.</summary>
    public TensorBufferPool Pool { get; init; } = TensorBufferPool.Shared;

    /// <summary>Tells the time.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Makes the logger; null logs nothing.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }

    internal void Validate()
    {
        Limits.Validate();
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(ConnectTimeout, TimeSpan.Zero);
        if (RequestTimeout != Timeout.InfiniteTimeSpan)
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(RequestTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(HeartbeatInterval, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(IdleTimeout, HeartbeatInterval);
    }
}
