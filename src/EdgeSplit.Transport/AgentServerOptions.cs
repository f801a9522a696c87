using System.Net;
using EdgeSplit.Tensors;
using EdgeSplit.Transport.Duplex;
using EdgeSplit.Transport.Security;
using Microsoft.Extensions.Logging;

namespace EdgeSplit.Transport;

/// <summary>How an <see cref="AgentServer"/> listens.</summary>
public sealed record AgentServerOptions
{
    /// <summary>Where to listen; <see cref="HostAndPort.Parse"/> makes one from text. Port 0 takes any free port.</summary>
    /// <value>Default: any free port of the loopback address.</value>
    public EndPoint EndPoint { get; init; } = new IPEndPoint(IPAddress.Loopback, 0);

    /// <summary>Encrypts connections; null for none.</summary>
    public TlsServerOptions? Tls { get; init; }

    /// <summary>A secret that a peer must prove to know; null to ask for none.</summary>
    public JoinToken? JoinToken { get; init; }

    /// <summary>
    /// Allows to listen beyond this machine without TLS and without a join token: whoever reaches the port may then load models,
    /// run them and use up the agent's memory and disk. Only for networks in which everyone is trusted.
    /// </summary>
    public bool DangerouslyAllowUnauthenticatedRemoteConnections { get; init; }

    /// <summary>What is taken from each connection.</summary>
    public TransportLimits Limits { get; init; } = new();

    /// <summary>Connections at a time, all peers together.</summary>
    /// <value>Default: 1,024.</value>
    public int MaxConnections { get; init; } = 1024;

    /// <summary>Connections at a time from one address.</summary>
    /// <value>Default: 64.</value>
    public int MaxConnectionsPerPeer { get; init; } = 64;

    /// <summary>New connections from one address in any minute; further ones are turned away, which slows guessing and floods.</summary>
    /// <value>Default: 600.</value>
    public int MaxNewConnectionsPerPeerAndMinute { get; init; } = 600;

    /// <summary>The time that a new connection has until its handshake is done.</summary>
    /// <value>Default: 10 seconds.</value>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The time between two heartbeats.</summary>
    /// <value>Default: 5 seconds.</value>
    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A connection on which nothing arrives for this long, not even a heartbeat, is closed.</summary>
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
        ArgumentNullException.ThrowIfNull(EndPoint);
        Limits.Validate();
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxConnections);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxConnectionsPerPeer);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxNewConnectionsPerPeerAndMinute);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(HandshakeTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(HeartbeatInterval, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(IdleTimeout, HeartbeatInterval);
        if (JoinToken is null && Tls is null && !DangerouslyAllowUnauthenticatedRemoteConnections && !HostAndPort.IsLoopback(EndPoint))
        {
            throw new EdgeSplitException(
                EdgeSplitError.AccessDenied,
                $"Listening on {HostAndPort.Format(EndPoint)} would let anyone in who reaches it. Set a join token or TLS, listen on "
                    + $"127.0.0.1 only, or set {nameof(DangerouslyAllowUnauthenticatedRemoteConnections)} if everyone there is trusted.");
        }
    }
}
