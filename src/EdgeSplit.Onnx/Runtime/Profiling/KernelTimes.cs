using System.Text.Json;

namespace EdgeSplit.Onnx.Runtime.Profiling;

/// <summary>Reads the trace that ONNX Runtime writes: one event for each operator of each run.</summary>
internal static class KernelTimes
{
    private const string KernelSuffix = "_kernel_time";

    /// <summary>
    /// The typical seconds of each node by name: the mean of the middle half of its runs. That is as robust as the median
    /// but finer than the microseconds that the trace counts in.
    /// </summary>
    /// <param name="trace">The trace, a JSON array of events.</param>
    /// <param name="nodes">The nodes to read: the main graph's, since a body's time is within its node's.</param>
    /// <param name="skippedRuns">Runs at the start that were only to warm up.</param>
    public static Dictionary<string, double> Read(ReadOnlySpan<byte> trace, IReadOnlySet<string> nodes, int skippedRuns)
    {
        var durations = new Dictionary<string, List<double>>();
        var reader = new Utf8JsonReader(trace, new JsonReaderOptions { AllowTrailingCommas = true });
        string? name = null, category = null;
        long microseconds = 0;
        while (reader.Read())
        {
            if (reader.CurrentDepth == 1 && reader.TokenType is JsonTokenType.EndObject)
            {
                if (category == "Node" && name is not null && name.EndsWith(KernelSuffix, StringComparison.Ordinal))
                    Add(durations, name[..^KernelSuffix.Length], microseconds, nodes);
                (name, category, microseconds) = (null, null, 0);
            }
            if (reader.CurrentDepth != 2 || reader.TokenType is not JsonTokenType.PropertyName)
                continue;
            if (reader.ValueTextEquals("name"u8) && reader.Read())
                name = reader.GetString();
            else if (reader.ValueTextEquals("cat"u8) && reader.Read())
                category = reader.GetString();
            else if (reader.ValueTextEquals("dur"u8) && reader.Read())
                microseconds = reader.GetInt64();
            else if (reader.ValueTextEquals("args"u8))
                reader.Skip();
        }
        return durations.ToDictionary(static pair => pair.Key, pair => 1e-6 * MidMean(pair.Value, skippedRuns));
    }

    private static void Add(Dictionary<string, List<double>> durations, string node, long microseconds, IReadOnlySet<string> nodes)
    {
        if (!nodes.Contains(node))
            return;
        if (!durations.TryGetValue(node, out List<double>? list))
            durations.Add(node, list = []);
        list.Add(microseconds);
    }

    private static double MidMean(List<double> values, int skippedRuns)
    {
        List<double> kept = values.Count > skippedRuns ? values[skippedRuns..] : values;
        kept.Sort();
        int cut = kept.Count / 4;
        return kept[cut..^cut].Average();
    }
}
