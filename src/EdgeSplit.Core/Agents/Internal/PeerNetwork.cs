using System.Net;
using System.Net.Sockets;

namespace EdgeSplit.Agents.Internal;

/// <summary>Tells who counts as one peer where limits hold for each peer: an IPv4 address, or an IPv6 /64.</summary>
internal static class PeerNetwork
{
    private const int NetworkBytesOfIPv6 = 8;

    /// <summary>The peer that an address belongs to. All that have none are one peer.</summary>
    public static IPAddress Of(IPAddress? address)
    {
        if (address is null)
            return IPAddress.None;
        if (address.IsIPv4MappedToIPv6)
            return address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
            return address;
        // One IPv6 host has a whole /64 of addresses to come from.
        byte[] bytes = address.GetAddressBytes();
        bytes.AsSpan(NetworkBytesOfIPv6).Clear();
        return new IPAddress(bytes);
    }
}
