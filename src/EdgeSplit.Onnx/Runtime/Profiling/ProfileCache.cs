using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;
using Google.Protobuf;

namespace EdgeSplit.Onnx.Runtime.Profiling;

/// <summary>A file that keeps one profile. Its name is a hash of all that the figures depend on.</summary>
internal sealed class ProfileCache
{
    /// <summary>Changes when figures of older versions are not to be trusted any more.</summary>
    private const string Version = "edgesplit.profile/1";

    private readonly string _path;

    private ProfileCache(string path) => _path = path;

    /// <summary>
    /// The file of a model under a runtime with inputs of some shapes. The model counts with its graph and with the types and
    /// places of its weights; their values do not change how long it takes.
    /// </summary>
    public static ProfileCache For(string folder, OnnxModel model, OnnxPartitionRuntime runtime, IReadOnlyDictionary<string, Tensor> inputs)
    {
        var key = new StringBuilder()
            .AppendLine(Version)
            .AppendLine(ContentHash.Of(model.Skeleton.ToByteArray()).ToString())
            .AppendLine(runtime.Name).AppendLine(runtime.ExecutionProvider)
            .Append(runtime.Options.ThreadCount).Append(' ').Append(runtime.Options.Optimization).AppendLine()
            .Append(Environment.MachineName).Append(' ').Append(RuntimeInformation.RuntimeIdentifier).Append(' ').Append(Environment.ProcessorCount).AppendLine();
        foreach (string layer in model.Graph.Layers.Select(static layer => layer.Name))
            key.AppendLine(layer);
        foreach ((string name, Tensor tensor) in inputs.OrderBy(static pair => pair.Key, StringComparer.Ordinal))
            key.Append(name).Append(' ').Append(tensor).AppendLine();
        string hash = ContentHash.Of(Encoding.UTF8.GetBytes(key.ToString())).ToString();
        return new ProfileCache(Path.Combine(folder, $"{hash}.profile.json"));
    }

    /// <summary>What was measured before; null where nothing was, or where the file is damaged.</summary>
    public LayerProfile? TryRead(int layerCount)
    {
        try
        {
            ProfileFile? file = JsonSerializer.Deserialize(File.ReadAllBytes(_path), ProfileJson.Default.ProfileFile);
            return file is { Format: Version, LayerSeconds: { } layers } && layers.Length == layerCount && layers.All(static seconds => seconds >= 0)
                ? new LayerProfile { LayerSeconds = [.. layers], ModelSeconds = file.ModelSeconds, KernelSeconds = file.KernelSeconds, UnattributedShare = file.UnattributedShare, Runtime = file.Runtime }
                : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Keeps a profile. A cache that cannot be written costs time only, so that is no error.</summary>
    public void Write(LayerProfile profile)
    {
        string temporary = $"{_path}.{Guid.NewGuid():N}.tmp";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
            var file = new ProfileFile(Version, profile.Runtime, profile.ModelSeconds, profile.KernelSeconds, profile.UnattributedShare, [.. profile.LayerSeconds]);
            File.WriteAllBytes(temporary, JsonSerializer.SerializeToUtf8Bytes(file, ProfileJson.Default.ProfileFile));
            File.Move(temporary, _path, overwrite: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            File.Delete(temporary);
        }
    }
}

/// <summary>The content of a file of the cache.</summary>
internal sealed record ProfileFile(string Format, string Runtime, double ModelSeconds, double KernelSeconds, double UnattributedShare, double[] LayerSeconds);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(ProfileFile))]
internal sealed partial class ProfileJson : JsonSerializerContext;
