using System.Text.Json;
using System.Text.Json.Serialization;
using EdgeSplit.Models;
using EdgeSplit.Storage;

namespace EdgeSplit.Partitioning;

/// <summary>Reads and writes plans as JSON, format <c>edgesplit.plan/1</c> (<c>docs/schemas/plan.schema.json</c>).</summary>
public static class PlanFile
{
    /// <summary>The value of the member <c>format</c>.</summary>
    public const string Format = "edgesplit.plan/1";

    /// <summary>Writes a plan.</summary>
    public static void Write(string path, PartitionPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var document = new PlanDocument
        {
            Format = Format,
            Model = plan.Graph.Name,
            Partitioner = plan.Partitioner,
            Objective = plan.Objective,
            LowerBound = plan.LowerBound,
            LatencySeconds = plan.Cost.LatencySeconds,
            BottleneckSeconds = plan.Cost.BottleneckSeconds,
            TransferredBytes = plan.Cost.TransferredBytes,
            EnergyJoules = plan.Cost.EnergyJoules,
            Assignment = plan.Graph.Layers.ToDictionary(static layer => layer.Name, layer => plan.Fleet.Devices[plan.Assignment[layer.Index]].Id),
            Routes = plan.Routes.Length == 1 ? null : [.. plan.Routes.Select(route => new PlanRouteDocument
            {
                Share = route.Share,
                Moved = plan.Graph.Layers.Where(layer => route.Assignment[layer.Index] != plan.Assignment[layer.Index])
                    .ToDictionary(static layer => layer.Name, layer => plan.Fleet.Devices[route.Assignment[layer.Index]].Id),
            })],
        };
        File.WriteAllText(path, JsonSerializer.Serialize(document, PlanJsonContext.Default.PlanDocument) + "\n");
    }

    /// <summary>Reads which device runs which layer of a model; only the members <c>format</c> and <c>assignment</c> are needed.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NotFound"/>: no such file; <see cref="EdgeSplitError.InvalidArgument"/>:
    /// not a plan, or not a plan of this model: a layer is missing or unknown.</exception>
    public static LayerAssignment Read(string path, ModelGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        PlanDocument document = JsonFile.Read(path, "plan", PlanJsonContext.Default.PlanDocument, (what, cause) => Invalid(path, what, cause));
        if (document.Format != Format)
            throw Invalid(path, $"its format is '{document.Format}', not '{Format}'");

        HashSet<string> names = [.. graph.Layers.Select(static layer => layer.Name)];
        var deviceIds = new List<string>();
        var assignment = new int[graph.Layers.Length];
        foreach (Layer layer in graph.Layers)
        {
            if (!document.Assignment.TryGetValue(layer.Name, out string? deviceId))
                throw Invalid(path, $"it does not assign the layer '{layer.Name}' of '{graph.Name}'");
            assignment[layer.Index] = PositionOf(deviceId);
        }
        RequireLayers(document.Assignment);
        var routes = new List<PlanRoute>();
        foreach (PlanRouteDocument route in document.Routes ?? [])
        {
            RequireLayers(route.Moved);
            if (!(route.Share > 0))
                throw Invalid(path, $"the share of a route is {route.Share}, not above 0");
            routes.Add(new PlanRoute(route.Share, [.. graph.Layers.Select(layer => route.Moved.TryGetValue(layer.Name, out string? deviceId) ? PositionOf(deviceId) : assignment[layer.Index])]));
        }
        if (routes.Count > 0 && Math.Abs(routes.Sum(static route => route.Share) - 1) > 1e-6)
            throw Invalid(path, $"the shares of its routes add up to {routes.Sum(static route => route.Share)}, not to 1");
        return new LayerAssignment([.. deviceIds], [.. assignment]) { Routes = [.. routes] };

        int PositionOf(string deviceId)
        {
            int device = deviceIds.IndexOf(deviceId);
            if (device >= 0)
                return device;
            deviceIds.Add(deviceId);
            return deviceIds.Count - 1;
        }

        void RequireLayers(Dictionary<string, string> devices)
        {
            if (devices.Keys.FirstOrDefault(name => !names.Contains(name)) is { } unknown)
                throw Invalid(path, $"'{graph.Name}' has no layer '{unknown}'");
        }
    }

    private static EdgeSplitException Invalid(string path, string what, Exception? innerException = null) =>
        new(EdgeSplitError.InvalidArgument, $"'{path}' is not a plan for this model: {what.TrimEnd('.')}. See docs/schemas/plan.schema.json.", innerException);
}

/// <summary>A plan file as it is written.</summary>
internal sealed class PlanDocument
{
    public required string Format { get; set; }

    public string? Model { get; set; }

    public string? Partitioner { get; set; }

    public double? Objective { get; set; }

    public double? LowerBound { get; set; }

    public double? LatencySeconds { get; set; }

    public double? BottleneckSeconds { get; set; }

    public long? TransferredBytes { get; set; }

    public double? EnergyJoules { get; set; }

    /// <summary>The device id of each layer, by the layer's name.</summary>
    public required Dictionary<string, string> Assignment { get; set; }

    public List<PlanRouteDocument>? Routes { get; set; }
}

/// <summary>A route as it is written.</summary>
internal sealed class PlanRouteDocument
{
    public required double Share { get; set; }

    /// <summary>The device id of each layer that the plan's assignment has elsewhere, by the layer's name.</summary>
    public Dictionary<string, string> Moved { get; set; } = [];
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    ReadCommentHandling = JsonCommentHandling.Skip,
    AllowTrailingCommas = true,
    WriteIndented = true)]
[JsonSerializable(typeof(PlanDocument))]
internal sealed partial class PlanJsonContext : JsonSerializerContext;
