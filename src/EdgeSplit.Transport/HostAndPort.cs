using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace EdgeSplit.Transport;

/// <summary>Reads and writes addresses as <c>HOST:PORT</c>.</summary>
public static class HostAndPort
{
    /// <summary>
    /// Reads <c>host:port</c>, <c>192.0.2.1:port</c>, <c>[2001:db8::1]:port</c>, or <c>*:port</c> for every address of this
    /// machine.
    /// </summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidArgument"/>: the text is none of these.</exception>
    public static EndPoint Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int colon = text.LastIndexOf(':');
        string host = colon < 0 ? "" : text[..colon];
        bool isBracketed = host is ['[', .., ']'];
        if (isBracketed)
            host = host[1..^1];
        if (host.Length == 0 || (host.Contains(':') && !isBracketed)
            || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port)
            || port > IPEndPoint.MaxPort)
        {
            throw new EdgeSplitException(
                EdgeSplitError.InvalidArgument,
                $"'{text}' is not an address; write HOST:PORT, such as 192.0.2.1:7311, agent.local:7311 or [2001:db8::1]:7311.");
        }
        if (host == "*")
            return new IPEndPoint(IPAddress.IPv6Any, port);
        return IPAddress.TryParse(host, out IPAddress? address) ? new IPEndPoint(address, port) : new DnsEndPoint(host, port);
    }

    /// <summary>Writes an address so that <see cref="Parse"/> reads it again.</summary>
    public static string Format(EndPoint endPoint) => endPoint switch
    {
        DnsEndPoint name => string.Create(CultureInfo.InvariantCulture, $"{name.Host}:{name.Port}"),
        IPEndPoint { AddressFamily: AddressFamily.InterNetworkV6 } address when address.Address.IsIPv4MappedToIPv6 =>
            string.Create(CultureInfo.InvariantCulture, $"{address.Address.MapToIPv4()}:{address.Port}"),
        _ => endPoint?.ToString() ?? "an unknown address",
    };

    /// <summary>Writes an address that is listened on as other machines may name it: <c>*:PORT</c> where it is every address of this one.</summary>
    internal static string FormatForPeers(EndPoint endPoint) =>
        endPoint is IPEndPoint address && (address.Address.Equals(IPAddress.Any) || address.Address.Equals(IPAddress.IPv6Any))
            ? string.Create(CultureInfo.InvariantCulture, $"*:{address.Port}")
            : Format(endPoint);

    /// <summary>The address that a peer names, with the host at which it is seen in place of <c>*</c>; null where it is seen at none.</summary>
    internal static string? Complete(string named, string seen)
    {
        if (!named.StartsWith("*:", StringComparison.Ordinal))
            return named;
        int colon = seen.LastIndexOf(':');
        return colon < 0 ? null : string.Concat(seen.AsSpan(0, colon), named.AsSpan(1));
    }

    /// <summary>The host's name or address alone.</summary>
    internal static string HostOf(EndPoint endPoint) => endPoint switch
    {
        DnsEndPoint name => name.Host,
        IPEndPoint address => address.Address.ToString(),
        _ => "",
    };

    /// <summary>Whether only this machine can reach the address.</summary>
    internal static bool IsLoopback(EndPoint endPoint) => endPoint switch
    {
        IPEndPoint address => IPAddress.IsLoopback(
            address.Address.IsIPv4MappedToIPv6 ? address.Address.MapToIPv4() : address.Address),
        DnsEndPoint name => string.Equals(name.Host, "localhost", StringComparison.OrdinalIgnoreCase),
        _ => false,
    };
}
