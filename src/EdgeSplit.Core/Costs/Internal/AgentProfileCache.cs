using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using EdgeSplit.Agents;
using EdgeSplit.Models;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;

namespace EdgeSplit.Costs.Internal;

/// <summary>A file that keeps the times of a model's segments on one device. Its name is a hash of all that they depend on.</summary>
internal sealed class AgentProfileCache
{
    private const string Version = "edgesplit.agent-profile/1";

    private readonly string _path;

    private AgentProfileCache(string path) => _path = path;

    /// <summary>The file of some segments, which their ids tell by content, on an agent with its runtime.</summary>
    public static AgentProfileCache For(
        string folder, AgentDescription agent, ImmutableArray<ModelPartition> segments, IReadOnlyDictionary<string, Tensor> inputs)
    {
        var key = new StringBuilder()
            .AppendLine(Version)
            .AppendLine(agent.Device.Id).AppendLine(agent.HostName).AppendLine(agent.Platform).Append(agent.ProcessorCount).AppendLine()
            .AppendLine(agent.Runtime).AppendLine(agent.ExecutionProvider);
        foreach (ModelPartition segment in segments)
            key.AppendLine(segment.Id);
        foreach ((string name, Tensor tensor) in inputs.OrderBy(static pair => pair.Key, StringComparer.Ordinal))
            key.Append(name).Append(' ').Append(tensor).AppendLine();
        return new AgentProfileCache(Path.Combine(folder, $"{ContentHash.Of(Encoding.UTF8.GetBytes(key.ToString()))}.agent.json"));
    }

    /// <summary>What was measured before; null where nothing was, or where the file is damaged.</summary>
    public double[]? TryRead(int segmentCount)
    {
        try
        {
            double[]? seconds = JsonSerializer.Deserialize(File.ReadAllBytes(_path), AgentProfileJson.Default.DoubleArray);
            return seconds?.Length == segmentCount && seconds.All(static value => value >= 0) ? seconds : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Keeps the times. A cache that cannot be written costs time only, so that is no error.</summary>
    public void Write(double[] seconds)
    {
        string temporary = $"{_path}.{Guid.NewGuid():N}.tmp";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
            File.WriteAllBytes(temporary, JsonSerializer.SerializeToUtf8Bytes(seconds, AgentProfileJson.Default.DoubleArray));
            File.Move(temporary, _path, overwrite: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            File.Delete(temporary);
        }
    }
}

[JsonSerializable(typeof(double[]))]
internal sealed partial class AgentProfileJson : JsonSerializerContext;
