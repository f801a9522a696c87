using System.Net;
using EdgeSplit.Transport.Security;

namespace EdgeSplit.Transport;

/// <summary>How to listen for peers, and what holds for all of them together.</summary>
public abstract record ListenOptions : TransportOptions
{
    /// <summary>Where to listen; <see cref="HostAndPort.Parse"/> makes one from text. Port 0 takes any free port.</summary>
    /// <value>Default: any free port of the loopback address.</value>
    public EndPoint EndPoint { get; init; } = new IPEndPoint(IPAddress.Loopback, 0);

    /// <summary>Encrypts connections; null for none.</summary>
    public TlsServerOptions? Tls { get; init; }

    /// <summary>
    /// Allows to listen beyond this machine without TLS and without a join token: whoever reaches the port is let in, may load
    /// and run models and use up memory and disk. Only for networks in which everyone is trusted.
    /// </summary>
    public bool DangerouslyAllowUnauthenticatedRemoteConnections { get; init; }

    /// <summary>Connections at a time, all peers together.</summary>
    /// <value>Default: 1,024.</value>
    public int MaxConnections { get; init; } = 1024;

    /// <summary>Connections at a time from one address.</summary>
    /// <value>Default: 64.</value>
    public int MaxConnectionsPerPeer { get; init; } = 64;

    /// <summary>New connections from one address in any minute; further ones are turned away, which slows guessing and floods.</summary>
    /// <value>Default: 600.</value>
    public int MaxNewConnectionsPerPeerAndMinute { get; init; } = 600;

    /// <summary>
    /// The bytes of tensors that the connections from one address may hold together, arriving or waiting to be consumed; further requests
    /// fail with <see cref="EdgeSplitError.Overloaded"/>. One connection alone waits at its own <see cref="TransportLimits.MaxBufferedBytes"/>.
    /// </summary>
    /// <value>Default: twice <see cref="TransportLimits.MaxBufferedBytes"/>; at least that.</value>
    public long MaxBufferedBytesPerPeer { get => field > 0 ? field : 2 * Limits.MaxBufferedBytes; init; }

    /// <summary>The time that a new connection has until its handshake is done.</summary>
    /// <value>Default: 10 seconds.</value>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    internal override void Validate()
    {
        base.Validate();
        ArgumentNullException.ThrowIfNull(EndPoint);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxConnections);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxConnectionsPerPeer);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxNewConnectionsPerPeerAndMinute);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxBufferedBytesPerPeer, Limits.MaxBufferedBytes);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(HandshakeTimeout, TimeSpan.Zero);
        if (JoinToken is null && Tls is null && !DangerouslyAllowUnauthenticatedRemoteConnections && !HostAndPort.IsLoopback(EndPoint))
        {
            throw new EdgeSplitException(
                EdgeSplitError.AccessDenied,
                $"Listening on {HostAndPort.Format(EndPoint)} would let anyone in who reaches it. Set a join token or TLS, listen on "
                    + $"127.0.0.1 only, or set {nameof(DangerouslyAllowUnauthenticatedRemoteConnections)} if everyone there is trusted.");
        }
    }
}
