using System.Collections.Immutable;
using System.Text.Json;
using EdgeSplit.Storage;

namespace EdgeSplit.Devices;

/// <summary>Reads and writes fleets as JSON, format <c>edgesplit.fleet/1</c> (<c>docs/schemas/fleet.schema.json</c>).</summary>
public static class FleetFile
{
    /// <summary>The value of the member <c>format</c>.</summary>
    public const string Format = "edgesplit.fleet/1";

    /// <summary>Reads a fleet.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NotFound"/>: no such file;
    /// <see cref="EdgeSplitError.InvalidArgument"/>: not a fleet, with the place that is wrong.</exception>
    public static FleetDescription Read(string path)
    {
        FleetDocument document = JsonFile.Read(path, "fleet", FleetJsonContext.Default.FleetDocument, (what, cause) => Invalid(path, what, cause));
        if (document.Format != Format)
            throw Invalid(path, $"its format is '{document.Format}', not '{Format}'");

        try
        {
            var fleet = new Fleet(
                document.Devices.Select(ToDevice),
                document.Links?.Select(static link => KeyValuePair.Create((link.From ?? "", link.To ?? ""), ToLink(link))),
                document.DefaultLink is { } defaultLink ? ToLink(defaultLink) : null);
            int source = document.Source is null ? -1 : fleet.IndexOf(document.Source);
            if (document.Source is not null && source < 0)
                throw Invalid(path, $"its source '{document.Source}' is none of its devices");
            return new FleetDescription(fleet, source) { LayerSeconds = LayerSecondsOf(document) };
        }
        catch (ArgumentException exception)
        {
            throw Invalid(path, exception.Message, exception);
        }
    }

    /// <summary>Writes a fleet; links of pairs that have the default link are left out.</summary>
    public static void Write(string path, FleetDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        Fleet fleet = description.Fleet;
        var links = new List<LinkDocument>();
        for (int from = 0; from < fleet.Devices.Length; from++)
        {
            for (int to = 0; to < fleet.Devices.Length; to++)
            {
                Link link = fleet.LinkBetween(from, to);
                if (from != to && link != fleet.DefaultLink)
                    links.Add(FromLink(link, fleet.Devices[from].Id, fleet.Devices[to].Id));
            }
        }
        var document = new FleetDocument
        {
            Format = Format,
            Source = description.SourceDevice < 0 ? null : fleet.Devices[description.SourceDevice].Id,
            Devices = [.. fleet.Devices.Select(device => FromDevice(device, description))],
            Links = links,
            DefaultLink = FromLink(fleet.DefaultLink, null, null),
        };
        File.WriteAllText(path, JsonSerializer.Serialize(document, FleetJsonContext.Default.FleetDocument) + "\n");
    }

    private static Device ToDevice(DeviceDocument document) => new()
    {
        Id = document.Id,
        FlopsPerSecond = Positive(document.FlopsPerSecond, document.Id, "flopsPerSecond"),
        MemoryBytesPerSecond = Positive(document.MemoryBytesPerSecond, document.Id, "memoryBytesPerSecond"),
        LayerOverheadSeconds = NotNegative(document.LayerOverheadSeconds, document.Id, "layerOverheadSeconds"),
        MemoryBytes = document.MemoryBytes is null or > 0 ? document.MemoryBytes ?? long.MaxValue : throw Wrong(document.Id, "memoryBytes", "more than 0"),
        CurrentLoad = document.CurrentLoad is >= 0 and < 1 ? document.CurrentLoad : throw Wrong(document.Id, "currentLoad", "0 or more and below 1"),
        AllowedLoad = document.AllowedLoad is > 0 and <= 1 ? document.AllowedLoad : throw Wrong(document.Id, "allowedLoad", "above 0 and at most 1"),
        IdleWatts = NotNegative(document.IdleWatts, document.Id, "idleWatts"),
        ActiveWatts = NotNegative(document.ActiveWatts, document.Id, "activeWatts"),
        ConcurrentStages = document.ConcurrentStages > 0 ? document.ConcurrentStages : throw Wrong(document.Id, "concurrentStages", "1 or more"),
        RunsLayers = document.RunsLayers,
        IsCoordinator = document.IsCoordinator,
        Origin = CostOrigin.Configured,
    };

    private static DeviceDocument FromDevice(Device device, FleetDescription description) => new()
    {
        Id = device.Id,
        FlopsPerSecond = device.FlopsPerSecond,
        MemoryBytesPerSecond = device.MemoryBytesPerSecond,
        LayerOverheadSeconds = device.LayerOverheadSeconds,
        MemoryBytes = device.MemoryBytes == long.MaxValue ? null : device.MemoryBytes,
        CurrentLoad = device.CurrentLoad,
        AllowedLoad = device.AllowedLoad,
        IdleWatts = device.IdleWatts,
        ActiveWatts = device.ActiveWatts,
        ConcurrentStages = device.ConcurrentStages,
        RunsLayers = device.RunsLayers,
        IsCoordinator = device.IsCoordinator,
        LayerSeconds = description.LayerSeconds.Values.Any(model => model.ContainsKey(device.Id))
            ? description.LayerSeconds.Where(model => model.Value.ContainsKey(device.Id)).ToDictionary(static model => model.Key, model => model.Value[device.Id].ToArray())
            : null,
    };

    private static ImmutableDictionary<string, ImmutableDictionary<string, ImmutableArray<double>>> LayerSecondsOf(FleetDocument document) => document.Devices
        .SelectMany(static device => (device.LayerSeconds ?? []).Select(model => (Model: model.Key, Device: device.Id, Seconds: model.Value)))
        .GroupBy(static times => times.Model)
        .ToImmutableDictionary(static model => model.Key, static model => model.ToImmutableDictionary(
            static times => times.Device,
            static times => times.Seconds.Select(value => NotNegative(value, times.Device, "layerSeconds")).ToImmutableArray()));

    private static Link ToLink(LinkDocument document)
    {
        string name = document.From is null ? "the default link" : $"the link from '{document.From}' to '{document.To}'";
        return new Link
        {
            Latency = TimeSpan.FromSeconds(NotNegative(document.LatencySeconds, name, "latencySeconds")),
            BytesPerSecond = Positive(document.BytesPerSecond, name, "bytesPerSecond"),
            JoulesPerByte = NotNegative(document.JoulesPerByte, name, "joulesPerByte"),
            Origin = CostOrigin.Configured,
        };
    }

    private static LinkDocument FromLink(Link link, string? from, string? to) => new()
    {
        From = from,
        To = to,
        LatencySeconds = link.Latency.TotalSeconds,
        BytesPerSecond = link.BytesPerSecond,
        JoulesPerByte = link.JoulesPerByte,
    };

    private static double Positive(double value, string owner, string member) =>
        value > 0 ? value : throw Wrong(owner, member, "more than 0");

    private static double NotNegative(double value, string owner, string member) =>
        value >= 0 && double.IsFinite(value) ? value : throw Wrong(owner, member, "0 or more and finite");

    private static ArgumentException Wrong(string owner, string member, string rule) => new($"{member} of '{owner}' must be {rule}");

    private static EdgeSplitException Invalid(string path, string what, Exception? innerException = null) =>
        new(EdgeSplitError.InvalidArgument, $"'{path}' is not a fleet file: {what.TrimEnd('.')}. See docs/schemas/fleet.schema.json.", innerException);
}
