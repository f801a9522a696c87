using System.Globalization;
using System.Net;

namespace EdgeSplit.Testbed.Internal;

/// <summary>The network of one agent: a namespace, and the link from it to the bridge.</summary>
internal sealed class AgentNetwork(string space, IPAddress address, string outside, string inside, string bridge)
{
    /// <summary>
    /// The largest segment that is handed to a link: less than any burst. One that was queued while the burst was larger than it, and that the burst is
    /// smaller than now, would never pass, nor would anything behind it: the choked link would be a cut one.
    /// </summary>
    public const int MostSegmentBytes = 15_000;

    // What a switch holds back before it drops; and what one timer tick of the kernel lets through, at the least one large segment.
    private const string Patience = "100ms";
    private const double BurstSeconds = 0.004;
    private const int LeastBurstBytes = 16 << 10;

    /// <summary>The words that start a command in the namespace, with the machine's <c>/sys</c>, which <c>ip netns exec</c> would hide.</summary>
    public string[] Enter { get; } = ["nsenter", $"--net=/run/netns/{space}"];

    /// <summary>The agent's address in the network.</summary>
    public IPAddress Address => address;

    /// <summary>Bytes that the agent has sent over its link, headers of all layers counted.</summary>
    public long SentBytes => Count("rx_bytes");

    /// <summary>Bytes that the agent has received over its link, headers of all layers counted.</summary>
    public long ReceivedBytes => Count("tx_bytes");

    /// <summary>Limits both directions from now on; null lifts the limit.</summary>
    public void Limit(double? bytesPerSecond)
    {
        foreach (string device in new[] { $"tc qdisc {{0}} dev {outside} root", $"tc -n {space} qdisc {{0}} dev {inside} root" })
        {
            if (bytesPerSecond is double rate)
                Command.Run(string.Format(CultureInfo.InvariantCulture, device, "replace") + string.Create(CultureInfo.InvariantCulture, $" tbf rate {rate * 8:0}bit burst {Math.Max(rate * BurstSeconds, LeastBurstBytes):0} latency {Patience}"));
            else
                Command.TryRun(string.Format(CultureInfo.InvariantCulture, device, "del"), out _);
        }
    }

    /// <summary>Lets nothing through, without telling either side, as a radio link that is out of reach does.</summary>
    public void Cut() => Command.Run($"ip link set {outside} nomaster");

    /// <summary>Undoes a cut.</summary>
    public void Mend() => Command.Run($"ip link set {outside} master {bridge}");

    // What the machine's end of the pair receives the agent has sent.
    private long Count(string counter) => InterfaceCounter.Read(outside, counter);
}
