using System.Net;
using EdgeSplit.Agents.Internal;

namespace EdgeSplit.Tests.Agents;

public sealed class PeerMemoryTests
{
    [Test]
    public void TryTake_counts_each_peer_by_itself_and_an_IPv6_network_as_one()
    {
        var memory = new PeerMemory(100);
        PeerShare first = memory.Of(IPAddress.Parse("192.0.2.1")), mapped = memory.Of(IPAddress.Parse("::ffff:192.0.2.1")), other = memory.Of(IPAddress.Parse("192.0.2.2"));
        PeerShare network = memory.Of(IPAddress.Parse("2001:db8::1")), neighbour = memory.Of(IPAddress.Parse("2001:db8::ffff:2")), stranger = memory.Of(IPAddress.Parse("2001:db8:0:1::1"));

        Assert.That(first.TryTake(60) && other.TryTake(100) && network.TryTake(60) && stranger.TryTake(100));
        Assert.That(mapped.TryTake(41) || neighbour.TryTake(41) || other.TryTake(1) || first.TryTake(long.MaxValue), Is.False);
        Assert.That(mapped.TryTake(40) && neighbour.TryTake(40));
        first.Release(60);
        mapped.Release(40);
        Assert.That(first.TryTake(100));
    }
}
