using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using EdgeSplit.Agents;
using EdgeSplit.Models;
using EdgeSplit.ModelZoo;
using EdgeSplit.Onnx;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Onnx.Verification;
using EdgeSplit.Tensors;

namespace EdgeSplit.Benchmarks.Splitting;

/// <summary>
/// What splitting costs: the time to take a model apart, and the sum of its parts' run times over the whole's, one thread
/// each, whole and parts in turn, so that a machine whose speed drifts moves both.
/// </summary>
internal static class SplitComparison
{
    private const int Rounds = 15;

    public static async Task<int> RunAsync(string[] names)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("edgesplit-benchmark-");
        try
        {
            Console.WriteLine("| model | parts | where | split s | parts / whole | whole ms |");
            Console.WriteLine("| --- | --- | --- | --- | --- | --- |");
            foreach (string name in names.Length > 0 ? names : ["resnet50", "bert-base"])
            {
                ZooEntry entry = Zoo.Get(name);
                string path = Path.Combine(folder.FullName, "model.onnx");
                entry.Write(path);
                var runtime = new OnnxPartitionRuntime(new OnnxRuntimeOptions { IntraOpThreads = 1 });
                using IPartitionExecutor whole = await runtime.LoadModelAsync(path);
                foreach (int count in new[] { 2, 4 })
                    await CompareAsync(entry, path, LayerGrouping.Fused, count, folder, runtime, whole);
                // Every operator that can be a part of its own: the worst that a cut can do.
                await CompareAsync(entry, path, LayerGrouping.Operators, int.MaxValue, folder, runtime, whole);
            }
            return 0;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task CompareAsync(ZooEntry entry, string path, LayerGrouping grouping, int count, DirectoryInfo folder, OnnxPartitionRuntime runtime, IPartitionExecutor whole)
    {
        long started = Stopwatch.GetTimestamp();
        using OnnxModel model = OnnxModel.Open(path, new OnnxModelOptions { Grouping = grouping, FreeDimensions = entry.TypicalDimensions });
        ImmutableArray<ModelPartition> parts = [.. (count == int.MaxValue ? SplitCuts.Everywhere(model.Graph) : LayerwiseStages.Of(model.Graph, count)).Select(stage => model.Extract(stage))];
        double splitSeconds = Stopwatch.GetElapsedTime(started).TotalSeconds;

        using LoadedParts loaded = await LoadedParts.LoadAsync(model, parts, runtime, folder.FullName);
        IReadOnlyDictionary<string, Tensor> inputs = RandomTensors.ForInputs(model.Inputs, 1, entry.TypicalDimensions);
        (double ratio, double wholeSeconds) = loaded.CompareWith(whole, inputs, Rounds);
        LoadedParts.Dispose(inputs);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {entry.Name} | {parts.Length} | {(count == int.MaxValue ? "at every operator" : "layer-wise plan")} | {splitSeconds:0.00} | {ratio:0.000} | {wholeSeconds * 1000:0.0} |"));
    }
}
