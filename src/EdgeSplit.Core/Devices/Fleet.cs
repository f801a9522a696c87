using System.Collections.Frozen;
using System.Collections.Immutable;

namespace EdgeSplit.Devices;

/// <summary>Devices and the links between them, at one moment. Immutable and thread-safe.</summary>
public sealed class Fleet
{
    private readonly FrozenDictionary<(int From, int To), Link> _links;

    /// <summary>Creates a fleet.</summary>
    /// <param name="devices">At least one device, ids distinct.</param>
    /// <param name="links">Links by the ids of sender and receiver; a pair that is absent has <paramref name="defaultLink"/>.</param>
    /// <param name="defaultLink">The link of pairs not listed; 100 Mbit/s and 0.5 ms where null.</param>
    /// <exception cref="ArgumentException">There is no device, an id stands twice, or a link names an unknown device.</exception>
    public Fleet(IEnumerable<Device> devices, IEnumerable<KeyValuePair<(string From, string To), Link>>? links = null, Link? defaultLink = null)
    {
        Devices = [.. devices];
        if (Devices.IsEmpty)
            throw new ArgumentException("A fleet needs at least one device.", nameof(devices));
        var indexes = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int i = 0; i < Devices.Length; i++)
        {
            if (!indexes.TryAdd(Devices[i].Id, i))
                throw new ArgumentException($"Two devices have the id '{Devices[i].Id}'.", nameof(devices));
        }
        var byIndex = new Dictionary<(int, int), Link>();
        foreach (((string from, string to), Link link) in links ?? [])
        {
            if (!indexes.TryGetValue(from, out int fromIndex) || !indexes.TryGetValue(to, out int toIndex))
                throw new ArgumentException($"The link from '{from}' to '{to}' names a device that the fleet lacks.", nameof(links));
            byIndex[(fromIndex, toIndex)] = link;
        }
        _links = byIndex.ToFrozenDictionary();
        DefaultLink = defaultLink ?? new Link();
    }

    /// <summary>The devices.</summary>
    public ImmutableArray<Device> Devices { get; }

    /// <summary>The links that are listed, by the positions of sender and receiver.</summary>
    internal IReadOnlyDictionary<(int From, int To), Link> ListedLinks => _links;

    /// <summary>The link of pairs that have none of their own.</summary>
    public Link DefaultLink { get; }

    /// <summary>The link between two devices, by their positions in <see cref="Devices"/>.</summary>
    public Link LinkBetween(int from, int to) =>
        from == to ? Link.Local : _links.GetValueOrDefault((from, to), DefaultLink);

    /// <summary>The position of a device, or -1.</summary>
    public int IndexOf(string deviceId)
    {
        for (int i = 0; i < Devices.Length; i++)
        {
            if (Devices[i].Id == deviceId)
                return i;
        }
        return -1;
    }
}
