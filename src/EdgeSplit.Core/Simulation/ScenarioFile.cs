using System.Collections.Immutable;
using EdgeSplit.Costs;
using EdgeSplit.Devices;
using EdgeSplit.Models;
using EdgeSplit.Partitioning;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;

namespace EdgeSplit.Simulation;

/// <summary>A scenario read from JSON, format <c>edgesplit.scenario/1</c> (<c>docs/schemas/scenario.schema.json</c>), with the model that it names.</summary>
public sealed record ScenarioFile
{
    /// <summary>The value of the member <c>format</c>.</summary>
    public const string Format = "edgesplit.scenario/1";

    /// <summary>The scenario.</summary>
    public required Scenario Scenario { get; init; }

    /// <summary>What plans minimise.</summary>
    public PlanObjective Objective { get; init; }

    /// <summary>What plans must satisfy.</summary>
    public PlanConstraints Constraints { get; init; } = new();

    /// <summary>The model, where the scenario makes one up.</summary>
    public ModelGraph? Graph { get; init; }

    /// <summary>The path of a model file, where it names one; relative to the scenario's folder.</summary>
    public string? ModelPath { get; init; }

    /// <summary>The name of a model of the zoo, where it names one.</summary>
    public string? ZooModel { get; init; }

    /// <summary>Sizes of the model file's symbolic dimensions.</summary>
    public IReadOnlyDictionary<string, long> Dimensions { get; init; } = ImmutableDictionary<string, long>.Empty;

    /// <summary>Reads a scenario.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NotFound"/>: no such file;
    /// <see cref="EdgeSplitError.InvalidArgument"/>: not a scenario, with the place that is wrong.</exception>
    public static ScenarioFile Read(string path)
    {
        ScenarioDocument document = JsonFile.Read(path, "scenario", ScenarioJsonContext.Default.ScenarioDocument, (what, cause) => Invalid(path, what, cause));
        if (document.Format != Format)
            throw Invalid(path, $"its format is '{document.Format}', not '{Format}'");
        ScenarioModelDocument model = document.Model ?? new ScenarioModelDocument();
        int named = (model.File is null ? 0 : 1) + (model.Zoo is null ? 0 : 1) + (model.Chain is null ? 0 : 1);
        if (named > 1)
            throw Invalid(path, "its model has more than one of file, zoo and chain");
        try
        {
            return new ScenarioFile
            {
                Scenario = ToScenario(document, Path.GetFileNameWithoutExtension(path)),
                Objective = document.Objective,
                Constraints = document.MaxReplicas is int most ? new PlanConstraints { MaximumReplicas = most } : PlanConstraints.ForObjective(document.Objective),
                Graph = model.Chain is { } chain ? ToGraph(chain) : null,
                ModelPath = model.File is null ? null : Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, model.File),
                ZooModel = model.Zoo,
                Dimensions = model.Dimensions ?? [],
            };
        }
        catch (Exception exception) when (exception is ArgumentException or OverflowException)
        {
            throw Invalid(path, exception.Message, exception);
        }
    }

    private static Scenario ToScenario(ScenarioDocument document, string fileName) => new()
    {
        Name = document.Name ?? fileName,
        Seed = document.Seed,
        Duration = TimeSpan.FromSeconds(document.DurationSeconds),
        Devices = [.. document.Devices.SelectMany(ToDevices)],
        RequestsPerSecond = document.RequestsPerSecond,
        Deadline = TimeSpan.FromSeconds(document.DeadlineSeconds),
        Noise = document.Noise,
        Changes = [.. (document.Changes ?? []).Select(static change => new ScenarioChange
        {
            At = TimeSpan.FromSeconds(change.AtSeconds),
            DeviceId = change.Device,
            Event = change.Event,
            SpeedFactor = change.SpeedFactor,
            OtherLoad = change.OtherLoad,
            BandwidthFactor = change.BandwidthFactor,
            LatencyFactor = change.LatencyFactor,
            Noise = change.Noise,
            RequestsPerSecond = change.RequestsPerSecond,
        })],
    };

    private static IEnumerable<ScenarioDevice> ToDevices(ScenarioDeviceDocument document)
    {
        if (document.Count is < 1)
            throw new ArgumentException($"the count of device '{document.Id}' must be 1 or more, not {document.Count}");
        for (int number = 1; number <= (document.Count ?? 1); number++)
        {
            yield return new ScenarioDevice
            {
                Device = new Device
                {
                    Id = document.Count is null ? document.Id : $"{document.Id}-{number}",
                    FlopsPerSecond = document.FlopsPerSecond,
                    MemoryBytesPerSecond = document.MemoryBytesPerSecond,
                    LayerOverheadSeconds = document.LayerOverheadSeconds,
                    MemoryBytes = document.MemoryBytes ?? long.MaxValue,
                    CurrentLoad = document.OtherLoad,
                    AllowedLoad = document.AllowedLoad,
                    IdleWatts = document.IdleWatts,
                    ActiveWatts = document.ActiveWatts,
                    ConcurrentStages = document.ConcurrentStages,
                    Origin = CostOrigin.Configured,
                },
                Latency = TimeSpan.FromSeconds(document.LatencySeconds),
                BytesPerSecond = document.BytesPerSecond,
                IsPresent = document.IsPresent,
            };
        }
    }

    private static ModelGraph ToGraph(ScenarioChainDocument chain)
    {
        if (chain.Layers < 1 || !(chain.FloatOperationsPerLayer >= 0) || chain.WeightBytesPerLayer < 0 || chain.ActivationBytes < 0)
            throw new ArgumentException("a chain has 1 layer or more, and sizes of 0 or more");
        ImmutableArray<Activation> activations = [.. Enumerable.Range(0, chain.Layers + 1).Select(index => new Activation
        {
            Index = index,
            Info = new TensorInfo($"a{index}", TensorElementType.UInt8, [new Dimension(chain.ActivationBytes)]),
            Producer = index - 1,
            Consumers = index == chain.Layers ? [] : [index],
            IsModelOutput = index == chain.Layers,
            ByteCount = chain.ActivationBytes,
        })];
        ImmutableArray<Weight> weights = [.. Enumerable.Range(0, chain.Layers).Select(index => new Weight(index, $"w{index}", chain.WeightBytesPerLayer))];
        ImmutableArray<Layer> layers = [.. Enumerable.Range(0, chain.Layers).Select(index => new Layer
        {
            Index = index,
            Name = $"layer{index}",
            Kind = "Layer",
            FloatOperations = chain.FloatOperationsPerLayer,
            ActivationTrafficBytes = 2 * chain.ActivationBytes,
            Weights = [index],
            Inputs = [index],
            Outputs = [index + 1],
        })];
        return new ModelGraph("chain", layers, activations, weights);
    }

    private static EdgeSplitException Invalid(string path, string what, Exception? innerException = null) =>
        new(EdgeSplitError.InvalidArgument, $"'{path}' is not a scenario file: {what.TrimEnd('.')}. See docs/schemas/scenario.schema.json.", innerException);
}
