using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using EdgeSplit.Agents;
using EdgeSplit.Costs;
using EdgeSplit.Devices;
using EdgeSplit.ModelZoo;
using EdgeSplit.Models;
using EdgeSplit.Onnx;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Partitioning;
using EdgeSplit.Storage;
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
        ImmutableArray<ModelPartition> parts = [.. Stages(model.Graph, count).Select(stage => model.Extract(stage))];
        double splitSeconds = Stopwatch.GetElapsedTime(started).TotalSeconds;

        var blobs = new FolderBlobStore(Path.Combine(folder.FullName, "blobs"));
        var executors = new List<IPartitionExecutor>();
        foreach (ModelPartition part in parts)
        {
            foreach (BlobReference blob in part.Blobs.Where(blob => !blobs.Contains(blob)))
            {
                await using Stream content = await model.OpenBlobAsync(blob.Hash, CancellationToken.None);
                await blobs.AddAsync(blob, content, CancellationToken.None);
            }
            executors.Add(await runtime.LoadAsync(part, blobs.Folder, CancellationToken.None));
        }
        IReadOnlyDictionary<string, Tensor> inputs = RandomTensors.ForInputs(model.Inputs, 1, entry.TypicalDimensions);
        var ratios = new List<double>();
        var wholes = new List<double>();
        for (int round = -2; round < Rounds; round++)
        {
            double wholeSeconds = Time(() => Dispose(whole.Execute(inputs, CancellationToken.None)));
            double partSeconds = Time(() => RunParts(parts, executors, inputs));
            if (round < 0)
                continue;
            ratios.Add(partSeconds / wholeSeconds);
            wholes.Add(wholeSeconds);
        }
        foreach (IPartitionExecutor executor in executors)
            executor.Dispose();
        Dispose(inputs);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {entry.Name} | {parts.Length} | {(count == int.MaxValue ? "at every operator" : "layer-wise plan")} | {splitSeconds:0.00} | {Median(ratios):0.000} | {Median(wholes) * 1000:0.0} |"));
    }

    private static IEnumerable<ImmutableArray<int>> Stages(ModelGraph graph, int count)
    {
        if (count == int.MaxValue)
            return graph.Layers.Select(static layer => ImmutableArray.Create(layer.Index));
        var problem = new PartitionProblem
        {
            Graph = graph,
            Fleet = new Fleet(Enumerable.Range(0, count).Select(static index => new Device { Id = $"{index}" })),
            CostModel = WeightedCostModel.ForObjective(PlanObjective.Throughput),
        };
        return new LayerwisePartitioner().Partition(problem, CancellationToken.None).Stages.Select(static stage => stage.Layers);
    }

    private static void RunParts(ImmutableArray<ModelPartition> parts, List<IPartitionExecutor> executors, IReadOnlyDictionary<string, Tensor> inputs)
    {
        var values = new Dictionary<string, Tensor>(inputs);
        for (int part = 0; part < parts.Length; part++)
        {
            Dictionary<string, Tensor> needed = parts[part].Inputs.ToDictionary(static input => input.Name, input => values[input.Name]);
            foreach ((string name, Tensor tensor) in executors[part].Execute(needed, CancellationToken.None))
                values.Add(name, tensor);
        }
        foreach ((string name, Tensor tensor) in values)
        {
            if (!inputs.ContainsKey(name))
                tensor.Dispose();
        }
    }

    private static double Time(Action run)
    {
        long started = Stopwatch.GetTimestamp();
        run();
        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static void Dispose(IReadOnlyDictionary<string, Tensor> tensors)
    {
        foreach (Tensor tensor in tensors.Values)
            tensor.Dispose();
    }
}
