using System.Collections.Immutable;
using System.Globalization;
using EdgeSplit.Agents;
using EdgeSplit.Compression;
using EdgeSplit.Costs;
using EdgeSplit.Devices;
using EdgeSplit.Models;
using EdgeSplit.ModelZoo;
using EdgeSplit.Onnx;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Onnx.Verification;
using EdgeSplit.Partitioning;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;
using EdgeSplit.Transport.Compression;

namespace EdgeSplit.Benchmarks.Compression;

/// <summary>
/// What compressing activations gains and costs on real topologies: models in four parts, every activation between two parts encoded
/// and decoded as it would be on a link; bytes, rates on one core, and the error of the activations and of the model's outputs.
/// </summary>
internal static class CompressionComparison
{
    private const int Parts = 4;

    public static async Task<int> RunAsync(string[] names)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("edgesplit-benchmark-");
        try
        {
            Console.WriteLine("| model | encoding | bytes | encode MB/s | decode MB/s | breaks even at Mbit/s | largest error of an activation | of the outputs |");
            Console.WriteLine("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |");
            foreach (string name in names.Length > 0 ? names : ["resnet18", "mobilenetv2", "bert-base"])
                await CompareAsync(Zoo.Get(name), folder);
            return 0;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task CompareAsync(ZooEntry entry, DirectoryInfo folder)
    {
        string path = Path.Combine(folder.FullName, "model.onnx");
        entry.Write(path);
        var runtime = new OnnxPartitionRuntime(new OnnxRuntimeOptions { IntraOpThreads = 1 });
        using OnnxModel model = OnnxModel.Open(path, new OnnxModelOptions { FreeDimensions = entry.TypicalDimensions });
        var problem = new PartitionProblem
        {
            Graph = model.Graph,
            Fleet = new Fleet(Enumerable.Range(0, Parts).Select(static index => new Device { Id = $"{index}" })),
            CostModel = WeightedCostModel.ForObjective(PlanObjective.Throughput),
        };
        ImmutableArray<ModelPartition> parts =
            [.. new LayerwisePartitioner().Partition(problem, CancellationToken.None).Stages.Select(stage => model.Extract(stage.Layers))];
        var blobs = new FolderBlobStore(Path.Combine(folder.FullName, "blobs"));
        var executors = new List<IPartitionExecutor>();
        foreach (ModelPartition part in parts)
        {
            foreach (BlobReference blob in part.Blobs.Where(blob => !blobs.Contains(blob)))
            {
                await using Stream content = await model.OpenBlobAsync(blob.Hash, CancellationToken.None);
                await blobs.AddAsync(blob, content, CancellationToken.None);
            }
            executors.Add(await runtime.LoadAsync(part, blobs.Folder, isUrgent: false, CancellationToken.None));
        }

        IReadOnlyDictionary<string, Tensor> inputs = RandomTensors.ForInputs(model.Inputs, 1, entry.TypicalDimensions);
        Dictionary<string, Tensor> exact = Run(parts, executors, inputs, static tensor => tensor);
        HashSet<string> outputs = [.. model.Outputs.Select(static output => output.Name)];
        List<Tensor> activations = [.. exact.Where(value => !inputs.ContainsKey(value.Key) && !outputs.Contains(value.Key)).Select(static value => value.Value)];
        foreach (ActivationCompression figures in ActivationCodec.Measure(activations))
        {
            double worst = 0;
            Dictionary<string, Tensor> received = Run(parts, executors, inputs, tensor =>
            {
                Tensor got = ActivationCodec.RoundTrip(tensor, figures.Encoding, out _);
                worst = Math.Max(worst, LargestRelative(tensor, got));
                return got;
            });
            double ofOutputs = outputs.Max(name => LargestRelative(exact[name], received[name]));
            double secondsPerByte = (1 / figures.EncodeBytesPerSecond) + (1 / figures.DecodeBytesPerSecond);
            double breakEven = (1 - figures.BytesRatio) / secondsPerByte * 8 / 1e6;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {entry.Name} | {figures.Encoding} | {figures.BytesRatio:0.000} | {figures.EncodeBytesPerSecond / 1e6:0} | {figures.DecodeBytesPerSecond / 1e6:0} | {breakEven:0} | {worst:0.0e0} | {ofOutputs:0.0e0} |"));
        }
        foreach (IPartitionExecutor executor in executors)
            executor.Dispose();
    }

    private static double LargestRelative(Tensor expected, Tensor actual) => SplitComparison.Of(
        new Dictionary<string, Tensor> { [""] = expected }, new Dictionary<string, Tensor> { [""] = actual }).LargestRelative;

    /// <summary>Runs the parts one after the other; what is between two of them travels.</summary>
    private static Dictionary<string, Tensor> Run(
        ImmutableArray<ModelPartition> parts, List<IPartitionExecutor> executors, IReadOnlyDictionary<string, Tensor> inputs, Func<Tensor, Tensor> travel)
    {
        var values = new Dictionary<string, Tensor>(inputs);
        var outputs = new Dictionary<string, Tensor>(inputs);
        for (int part = 0; part < parts.Length; part++)
        {
            Dictionary<string, Tensor> needed = parts[part].Inputs.ToDictionary(static input => input.Name, input => values[input.Name]);
            foreach ((string name, Tensor tensor) in executors[part].Execute(needed, CancellationToken.None))
            {
                outputs.Add(name, tensor);
                values.Add(name, travel(tensor));
            }
        }
        return outputs;
    }
}
