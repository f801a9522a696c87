using System.Text.Json.Serialization;
using EdgeSplit.Costs;
using EdgeSplit.Devices;

namespace EdgeSplit.Simulation;

/// <summary>A scenario file as it is written; members that are absent have the defaults of <see cref="Scenario"/>.</summary>
internal sealed class ScenarioDocument
{
    public required string Format { get; set; }

    public string? Name { get; set; }

    public int Seed { get; set; }

    public double DurationSeconds { get; set; } = 60;

    public ScenarioModelDocument? Model { get; set; }

    public PlanObjective Objective { get; set; }

    /// <summary>The most devices that may hold one layer; where absent as many as pay for throughput, else 1.</summary>
    public int? MaxReplicas { get; set; }

    public required List<ScenarioDeviceDocument> Devices { get; set; }

    public double RequestsPerSecond { get; set; } = 1;

    public double DeadlineSeconds { get; set; } = 30;

    public double Noise { get; set; }

    public List<ScenarioChangeDocument>? Changes { get; set; }
}

/// <summary>One of its members says which model it is.</summary>
internal sealed class ScenarioModelDocument
{
    /// <summary>The path of a model file.</summary>
    public string? File { get; set; }

    /// <summary>The name of a model of the zoo.</summary>
    public string? Zoo { get; set; }

    public ScenarioChainDocument? Chain { get; set; }

    /// <summary>Sizes of symbolic dimensions, for a file.</summary>
    public Dictionary<string, long>? Dimensions { get; set; }
}

/// <summary>A model made up of equal layers one after the other.</summary>
internal sealed class ScenarioChainDocument
{
    public required int Layers { get; set; }

    public required double FloatOperationsPerLayer { get; set; }

    public long WeightBytesPerLayer { get; set; }

    public required long ActivationBytes { get; set; }
}

internal sealed class ScenarioDeviceDocument
{
    private static readonly Device Defaults = new() { Id = "default" };

    public required string Id { get; set; }

    /// <summary>Makes as many devices of the kind, named <c>ID-1</c>, <c>ID-2</c> and so on.</summary>
    public int? Count { get; set; }

    public double FlopsPerSecond { get; set; } = Defaults.FlopsPerSecond;

    public double MemoryBytesPerSecond { get; set; } = Defaults.MemoryBytesPerSecond;

    public double LayerOverheadSeconds { get; set; } = Defaults.LayerOverheadSeconds;

    public long? MemoryBytes { get; set; }

    public double OtherLoad { get; set; }

    public double AllowedLoad { get; set; } = Defaults.AllowedLoad;

    public double IdleWatts { get; set; }

    public double ActiveWatts { get; set; } = Defaults.ActiveWatts;

    public int ConcurrentStages { get; set; } = Defaults.ConcurrentStages;

    public double LatencySeconds { get; set; } = 0.0005;

    public double BytesPerSecond { get; set; } = 12.5e6;

    public bool IsPresent { get; set; } = true;
}

internal sealed class ScenarioChangeDocument
{
    public required double AtSeconds { get; set; }

    public string? Device { get; set; }

    public ScenarioEvent? Event { get; set; }

    public double? SpeedFactor { get; set; }

    public double? OtherLoad { get; set; }

    public double? BandwidthFactor { get; set; }

    public double? LatencyFactor { get; set; }

    public double? Noise { get; set; }

    public double? RequestsPerSecond { get; set; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    UseStringEnumConverter = true,
    ReadCommentHandling = System.Text.Json.JsonCommentHandling.Skip,
    AllowTrailingCommas = true)]
[JsonSerializable(typeof(ScenarioDocument))]
internal sealed partial class ScenarioJsonContext : JsonSerializerContext;
