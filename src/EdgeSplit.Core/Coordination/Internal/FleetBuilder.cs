using System.Collections.Immutable;
using EdgeSplit.Devices;

namespace EdgeSplit.Coordination.Internal;

/// <summary>Makes the fleet that planning sees of the agents.</summary>
internal static class FleetBuilder
{
    // The pairs of a thousand agents are a million links.
    private const int MostListedPairs = 64;

    /// <summary>Builds the fleet.</summary>
    /// <param name="agents">The agents that plans may use, the coordinator's own among them where it has one.</param>
    /// <param name="options">The coordinator's id, the links that are stated, and how links compress.</param>
    /// <param name="peers">The links between agents that reach each other; null where the coordinator passes everything on.</param>
    /// <param name="shares">What is left of each device.</param>
    /// <returns>
    /// The fleet, with the coordinator as the source. A coordinator that runs no layers is a device of the fleet all the same
    /// where reaching an agent takes time; where it does not, there is no source.
    /// </returns>
    public static FleetDescription Build(ImmutableArray<AgentEntry> agents, CoordinatorOptions options, PeerLinks? peers, DeviceShares shares)
    {
        string coordinatorId = options.Id;
        IReadOnlyDictionary<(string From, string To), Link> configured = options.Links;
        List<(Device Device, Link Link)> devices = [.. agents.Select(entry => (shares.Of(entry), entry.Link))];
        int source = devices.FindIndex(static device => device.Device.IsCoordinator);
        if (source < 0 && (devices.Exists(static device => !IsFree(device.Link)) || configured.Keys.Any(link => link.From == coordinatorId || link.To == coordinatorId)))
        {
            source = devices.Count;
            devices.Add((new Device { Id = coordinatorId, IsCoordinator = true, RunsLayers = false }, Link.Local));
        }

        if (devices.Count > MostListedPairs && source >= 0 && configured.Count == 0)
            return BuildStar(devices, source);
        var links = new Dictionary<(string From, string To), Link>();
        if (peers is not null)
        {
            foreach (AgentEntry from in agents)
            {
                foreach (AgentEntry to in agents)
                {
                    if (peers.Find(from, to) is { } measured)
                        links[(from.Id, to.Id)] = measured;
                }
            }
        }
        foreach ((Device from, Link up) in devices)
        {
            foreach ((Device to, Link down) in devices)
            {
                if (from.Id == to.Id)
                    continue;
                links[(from.Id, to.Id)] = configured.TryGetValue((from.Id, to.Id), out Link? stated)
                    ? options.Compression?.Choose(stated) ?? stated
                    : links.GetValueOrDefault((from.Id, to.Id)) ?? ThroughCoordinator(up, down);
            }
        }
        return new FleetDescription(new Fleet(devices.Select(static device => device.Device), links), source);
    }

    /// <summary>
    /// A fleet of many agents: the links to and from the coordinator, through which everything passes, and for all other pairs one
    /// that is no slower than any of them, which keeps lower bounds valid.
    /// </summary>
    private static FleetDescription BuildStar(List<(Device Device, Link Link)> devices, int source)
    {
        var links = new Dictionary<(string From, string To), Link>();
        string center = devices[source].Device.Id;
        foreach ((Device device, Link link) in devices.Where(device => device.Device.Id != center))
            links[(center, device.Id)] = links[(device.Id, center)] = link;
        Link[] ends = [.. devices.Where(device => device.Device.Id != center).Select(static device => device.Link)];
        var fastest = new Link { Latency = 2 * ends.Min(static link => link.Latency), BytesPerSecond = ends.Max(static link => 1 / link.SecondsPerByte) / 2 };
        return new FleetDescription(new Fleet(devices.Select(static device => device.Device), links, fastest), source);
    }

    /// <summary>Bytes are received whole before they are sent on, so latencies and times per byte, compression included, add up.</summary>
    private static Link ThroughCoordinator(Link up, Link down)
    {
        if (IsFree(up))
            return down;
        if (IsFree(down))
            return up;
        return new Link
        {
            Latency = up.Latency + down.Latency,
            BytesPerSecond = 1 / (up.SecondsPerByte + down.SecondsPerByte),
            JoulesPerByte = up.JoulesPerByte + down.JoulesPerByte,
            Origin = (CostOrigin)Math.Min((int)up.Origin, (int)down.Origin),
        };
    }

    private static bool IsFree(Link link) => link == Link.Local;
}
