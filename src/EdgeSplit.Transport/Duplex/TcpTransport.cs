using System.Net;
using System.Net.Sockets;
using EdgeSplit.Transport.Duplex.Internal;

namespace EdgeSplit.Transport.Duplex;

/// <summary>Connections over TCP, with Nagle's algorithm off.</summary>
public sealed class TcpTransport : IDuplexTransport
{
    private const int Backlog = 512;

    private TcpTransport()
    {
    }

    /// <summary>The transport; it has no state.</summary>
    public static TcpTransport Instance { get; } = new();

    /// <inheritdoc/>
    public async ValueTask<IDuplexListener> ListenAsync(EndPoint endPoint, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        Socket? socket = null;
        try
        {
            IPEndPoint address = await ResolveAsync(endPoint, cancellationToken).ConfigureAwait(false);
            socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            if (address.Address.Equals(IPAddress.IPv6Any))
                socket.DualMode = true;
            socket.Bind(address);
            socket.Listen(Backlog);
            return new TcpConnectionListener(socket);
        }
        catch (SocketException exception)
        {
            socket?.Dispose();
            throw new EdgeSplitException(
                EdgeSplitError.InvalidArgument,
                $"Cannot listen on {HostAndPort.Format(endPoint)}: {exception.Message}. Choose an address of this machine and a free port.",
                exception);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<IDuplexConnection> ConnectAsync(EndPoint endPoint, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        // A socket without an address family reaches names that resolve to both IPv4 and IPv6.
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(endPoint, cancellationToken).ConfigureAwait(false);
            return new TcpConnection(socket);
        }
        catch (SocketException exception)
        {
            socket.Dispose();
            throw new EdgeSplitException(
                EdgeSplitError.AgentUnavailable,
                $"No agent answers at {HostAndPort.Format(endPoint)}: {exception.Message}. Check the address and that the agent is running.",
                exception);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async ValueTask<IPEndPoint> ResolveAsync(EndPoint endPoint, CancellationToken cancellationToken)
    {
        if (endPoint is IPEndPoint address)
            return address;
        if (endPoint is not DnsEndPoint name)
            throw new ArgumentException($"TCP cannot listen on {endPoint}; give an IP address or a host name with a port.", nameof(endPoint));
        IPAddress[] addresses = await Dns.GetHostAddressesAsync(name.Host, cancellationToken).ConfigureAwait(false);
        return addresses.Length > 0
            ? new IPEndPoint(addresses[0], name.Port)
            : throw new SocketException((int)SocketError.HostNotFound);
    }
}
