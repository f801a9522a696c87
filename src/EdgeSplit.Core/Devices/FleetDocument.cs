using System.Text.Json;
using System.Text.Json.Serialization;

namespace EdgeSplit.Devices;

/// <summary>A fleet file as it is written; members that are absent have the defaults of <see cref="Device"/> and <see cref="Link"/>.</summary>
internal sealed class FleetDocument
{
    public required string Format { get; set; }

    /// <summary>The id of the device where requests come from and results go.</summary>
    public string? Source { get; set; }

    public required List<DeviceDocument> Devices { get; set; }

    public List<LinkDocument>? Links { get; set; }

    public LinkDocument? DefaultLink { get; set; }
}

internal sealed class DeviceDocument
{
    private static readonly Device Defaults = new() { Id = "default" };

    public required string Id { get; set; }

    public double FlopsPerSecond { get; set; } = Defaults.FlopsPerSecond;

    public double MemoryBytesPerSecond { get; set; } = Defaults.MemoryBytesPerSecond;

    public double LayerOverheadSeconds { get; set; } = Defaults.LayerOverheadSeconds;

    public long? MemoryBytes { get; set; }

    public double CurrentLoad { get; set; }

    public double AllowedLoad { get; set; } = Defaults.AllowedLoad;

    public double IdleWatts { get; set; }

    public double ActiveWatts { get; set; } = Defaults.ActiveWatts;

    public int ConcurrentStages { get; set; } = Defaults.ConcurrentStages;

    public bool RunsLayers { get; set; } = Defaults.RunsLayers;

    public bool IsCoordinator { get; set; }

    /// <summary>Seconds of each layer by the model's name.</summary>
    public Dictionary<string, double[]>? LayerSeconds { get; set; }
}

internal sealed class LinkDocument
{
    private static readonly Link Defaults = new();

    public string? From { get; set; }

    public string? To { get; set; }

    public double LatencySeconds { get; set; } = Defaults.Latency.TotalSeconds;

    public double BytesPerSecond { get; set; } = Defaults.BytesPerSecond;

    public double JoulesPerByte { get; set; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    ReadCommentHandling = JsonCommentHandling.Skip,
    AllowTrailingCommas = true,
    WriteIndented = true)]
[JsonSerializable(typeof(FleetDocument))]
internal sealed partial class FleetJsonContext : JsonSerializerContext;
