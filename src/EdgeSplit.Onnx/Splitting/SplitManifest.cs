using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace EdgeSplit.Onnx.Splitting;

/// <summary>What <c>split.json</c> says: the parts of a model as files, in an order in which they can run.</summary>
public sealed record SplitManifest
{
    /// <summary>The value of <see cref="Format"/>.</summary>
    public const string CurrentFormat = "edgesplit.split/1";

    /// <summary>The file format and its version.</summary>
    [JsonPropertyOrder(0)]
    public string Format { get; init; } = CurrentFormat;

    /// <summary>The model that was split.</summary>
    [JsonPropertyOrder(1)]
    public required string Model { get; init; }

    /// <summary>The names of the model's inputs.</summary>
    [JsonPropertyOrder(2)]
    public required ImmutableArray<string> Inputs { get; init; }

    /// <summary>The names of the model's outputs; one that is also an input is passed through.</summary>
    [JsonPropertyOrder(3)]
    public required ImmutableArray<string> Outputs { get; init; }

    /// <summary>The stages in an order in which they can run.</summary>
    [JsonPropertyOrder(4)]
    public required ImmutableArray<SplitStage> Stages { get; init; }

    /// <summary>The manifest as indented JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, SplitManifestJson.Default.SplitManifest);

    /// <summary>Reads a manifest.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidModel"/>: the text is no manifest of a version that is known.</exception>
    public static SplitManifest Parse(string json)
    {
        try
        {
            SplitManifest? manifest = JsonSerializer.Deserialize(json, SplitManifestJson.Default.SplitManifest);
            if (manifest is { Format: CurrentFormat })
                return manifest;
            throw new EdgeSplitException(EdgeSplitError.InvalidModel, $"The manifest has the format '{manifest?.Format}'; this version reads '{CurrentFormat}'.");
        }
        catch (JsonException exception)
        {
            throw new EdgeSplitException(EdgeSplitError.InvalidModel, $"The manifest is not valid: {exception.Message}", exception);
        }
    }
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(SplitManifest))]
internal sealed partial class SplitManifestJson : JsonSerializerContext;
