using EdgeSplit.Tensors;
using EdgeSplit.Transport.Duplex;
using EdgeSplit.Transport.Security;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeSplit.Transport;

/// <summary>What every end of a connection needs to know, whoever makes it and whoever asks.</summary>
public abstract record TransportOptions
{
    /// <summary>A secret that the peer must prove to know, and that this side proves to it; null for none.</summary>
    public JoinToken? JoinToken { get; init; }

    /// <summary>What is taken from each peer.</summary>
    public TransportLimits Limits { get; init; } = new();

    /// <summary>The time between two heartbeats.</summary>
    /// <value>Default: 5 seconds.</value>
    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A peer from which nothing arrives for this long, not even a heartbeat, is given up.</summary>
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

    internal ILogger CreateLogger<T>() => (LoggerFactory ?? NullLoggerFactory.Instance).CreateLogger<T>();

    internal virtual void Validate()
    {
        Limits.Validate();
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(HeartbeatInterval, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(IdleTimeout, HeartbeatInterval);
    }
}
