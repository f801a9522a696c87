using System.Collections.Immutable;
using System.Text.Json.Serialization;
using EdgeSplit.Tensors;

namespace EdgeSplit.Repositories.Internal;

/// <summary>What <c>model.json</c> says of a base model.</summary>
/// <param name="Format">The file's format and its version.</param>
/// <param name="Version">The folder of this version of the model.</param>
/// <param name="File">The name of the model file.</param>
/// <param name="Hashes">The hash of each file by its path relative to the model file's folder, the model file included.</param>
internal sealed record ModelManifest(string Format, string Version, string File, ImmutableSortedDictionary<string, string> Hashes)
{
    public const string CurrentFormat = "edgesplit.model/1";
}

/// <summary>What a partition's <c>.json</c> says of it; its skeleton is a file beside it.</summary>
internal sealed record PartitionManifest(
    string Format, ImmutableArray<BlobManifest> Blobs, ImmutableArray<TensorManifest> Inputs, ImmutableArray<TensorManifest> Outputs)
{
    public const string CurrentFormat = "edgesplit.partition/1";
}

/// <summary>What <c>deployment.json</c> says of how a model is deployed.</summary>
internal sealed record DeploymentManifest(
    string Format, ImmutableSortedDictionary<string, string> Assignment, double RequestsPerSecond, ImmutableSortedDictionary<string, ImmutableArray<double>> MeasuredLayerSeconds,
    ImmutableArray<StoredRoute>? Routes = null)
{
    public const string CurrentFormat = "edgesplit.deployment/1";
}

/// <summary>A blob that a partition refers to.</summary>
internal sealed record BlobManifest(string Hash, long ByteCount);

/// <summary>An input or output of a partition; its dimensions are null where even the rank is unknown.</summary>
internal sealed record TensorManifest(string Name, TensorElementType ElementType, ImmutableArray<DimensionManifest>? Dimensions);

/// <summary>A dimension.</summary>
internal readonly record struct DimensionManifest(long? Size, string? Symbol);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, UseStringEnumConverter = true, RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(ModelManifest))]
[JsonSerializable(typeof(PartitionManifest))]
[JsonSerializable(typeof(DeploymentManifest))]
internal sealed partial class ManifestJsonContext : JsonSerializerContext;
