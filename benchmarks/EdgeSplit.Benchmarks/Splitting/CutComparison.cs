using System.Collections.Immutable;
using System.Globalization;
using EdgeSplit.Agents;
using EdgeSplit.Costs;
using EdgeSplit.Devices;
using EdgeSplit.Models;
using EdgeSplit.ModelZoo;
using EdgeSplit.Onnx;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Onnx.Verification;
using EdgeSplit.Partitioning;
using EdgeSplit.Tensors;
using Microsoft.ML.OnnxRuntime;

namespace EdgeSplit.Benchmarks.Splitting;

/// <summary>
/// What cuts cost beyond their transfers: parts against the whole, all optimisations, one thread, at the planner's cuts, at single
/// cuts, between all layers and between all operators, beside what <see cref="Activation.CutPenalty"/> predicts.
/// </summary>
internal static class CutComparison
{
    private const int Rounds = 15;
    private const int SingleCuts = 10;

    public static async Task<int> RunAsync(string[] names)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("edgesplit-cuts-");
        try
        {
            Console.WriteLine("| model | graph | cut | parts | KiB across | parts / whole | predicted | whole ms |");
            Console.WriteLine("| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |");
            foreach (string name in names.Length > 0 ? names : ["resnet50", "mobilenetv2", "densenet121", "bert-base"])
            {
                ZooEntry entry = Zoo.Get(name);
                string path = Path.Combine(folder.FullName, $"{name}.onnx");
                entry.Write(path);
                await CompareAsync(entry, "original", path, folder.FullName, isThorough: true);
                foreach (GraphOptimizationLevel level in new[] { GraphOptimizationLevel.ORT_ENABLE_BASIC, GraphOptimizationLevel.ORT_ENABLE_EXTENDED })
                {
                    string optimized = Path.Combine(folder.FullName, $"{name}-{level}.onnx");
                    using (var options = new SessionOptions { GraphOptimizationLevel = level, OptimizedModelFilePath = optimized, IntraOpNumThreads = 1 })
                        new InferenceSession(path, options).Dispose();
                    await CompareAsync(entry, level == GraphOptimizationLevel.ORT_ENABLE_BASIC ? "basic" : "extended", optimized, folder.FullName, isThorough: false, whole: path);
                }
            }
            return 0;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task CompareAsync(ZooEntry entry, string graph, string path, string folder, bool isThorough, string? whole = null)
    {
        var runtime = new OnnxPartitionRuntime(new OnnxRuntimeOptions { IntraOpThreads = 1 });
        using IPartitionExecutor baseline = await runtime.LoadModelAsync(whole ?? path);
        using (OnnxModel model = Open(LayerGrouping.Fused))
        {
            await CompareOneAsync(model, "planner, 2 parts", Planned(model.Graph, 2));
            await CompareOneAsync(model, "planner, 4 parts", Planned(model.Graph, 4));
            if (isThorough)
            {
                foreach (ImmutableArray<int> before in SplitCuts.Sample(model.Graph, SingleCuts, 1))
                    await CompareOneAsync(model, $"behind {before.Length} of {model.Graph.Layers.Length} layers", SplitCuts.Parts(model.Graph, before));
                await CompareOneAsync(model, "every layer", SplitCuts.Everywhere(model.Graph));
            }
        }
        if (isThorough)
        {
            using OnnxModel model = Open(LayerGrouping.Operators);
            await CompareOneAsync(model, "every operator", SplitCuts.Everywhere(model.Graph));
        }

        OnnxModel Open(LayerGrouping grouping) => OnnxModel.Open(path, new OnnxModelOptions { Grouping = grouping, FreeDimensions = entry.TypicalDimensions });

        async Task CompareOneAsync(OnnxModel model, string cut, ImmutableArray<ImmutableArray<int>> stages)
        {
            ImmutableArray<ModelPartition> parts = [.. stages.Select(stage => model.Extract(stage))];
            using LoadedParts loaded = await LoadedParts.LoadAsync(model, parts, runtime, folder);
            IReadOnlyDictionary<string, Tensor> inputs = RandomTensors.ForInputs(model.Inputs, 1, entry.TypicalDimensions);
            (double ratio, double wholeSeconds) = loaded.CompareWith(baseline, inputs, Rounds);
            LoadedParts.Dispose(inputs);
            (double predicted, long bytes) = Predict(model.Graph, stages);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {entry.Name} | {graph} | {cut} | {parts.Length} | {bytes / 1024.0:0} | {ratio:0.000} | {predicted:0.000} | {wholeSeconds * 1000:0.0} |"));
        }
    }

    /// <summary>The cuts that the default partitioner makes for the best throughput of equal devices on a gigabit network.</summary>
    private static ImmutableArray<ImmutableArray<int>> Planned(ModelGraph graph, int devices)
    {
        var problem = new PartitionProblem
        {
            Graph = graph,
            Fleet = new Fleet(Enumerable.Range(0, devices).Select(static index => new Device { Id = $"{index}", FlopsPerSecond = 100e9, MemoryBytesPerSecond = 25e9 }), defaultLink: new Link { BytesPerSecond = 125e6 }),
            CostModel = WeightedCostModel.ForObjective(PlanObjective.Throughput),
        };
        return [.. new AutoPartitioner().Partition(problem, CancellationToken.None).Stages.Select(static stage => stage.Layers)];
    }

    /// <summary>The latency with the cuts over that without, transfers free: what the planner believes that cutting costs.</summary>
    private static (double Ratio, long Bytes) Predict(ModelGraph graph, ImmutableArray<ImmutableArray<int>> stages)
    {
        var problem = new PartitionProblem
        {
            Graph = graph,
            Fleet = new Fleet(stages.Select(static (_, index) => new Device { Id = $"{index}", FlopsPerSecond = 100e9, MemoryBytesPerSecond = 25e9, LayerOverheadSeconds = 0 }), defaultLink: Link.Local),
            CostModel = WeightedCostModel.ForObjective(PlanObjective.Latency),
        };
        int[] cut = new int[graph.Layers.Length];
        for (int stage = 0; stage < stages.Length; stage++)
        {
            foreach (int layer in stages[stage])
                cut[layer] = stage;
        }
        var evaluator = new PlanEvaluator(problem);
        // Branches on devices of their own run beside each other; here they run one after the other, as the parts do.
        PlanEvaluation whole = evaluator.Evaluate(new int[cut.Length]), parts = evaluator.Evaluate(cut);
        return (parts.Devices.Sum(static device => device.ComputeSeconds) / whole.Devices.Sum(static device => device.ComputeSeconds), parts.Cost.TransferredBytes);
    }
}
