using System.Collections.Immutable;
using System.Diagnostics;
using EdgeSplit.Agents;
using EdgeSplit.Models;
using EdgeSplit.Onnx;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;

namespace EdgeSplit.Benchmarks.Splitting;

/// <summary>The parts of a model, each loaded, to be run one after the other.</summary>
internal sealed class LoadedParts : IDisposable
{
    private readonly ImmutableArray<ModelPartition> _parts;
    private readonly List<IPartitionExecutor> _executors = [];

    private LoadedParts(ImmutableArray<ModelPartition> parts) => _parts = parts;

    public static async Task<LoadedParts> LoadAsync(OnnxModel model, ImmutableArray<ModelPartition> parts, OnnxPartitionRuntime runtime, string folder)
    {
        var loaded = new LoadedParts(parts);
        var blobs = new FolderBlobStore(Path.Combine(folder, "blobs"));
        foreach (ModelPartition part in parts)
        {
            foreach (BlobReference blob in part.Blobs.Where(blob => !blobs.Contains(blob)))
            {
                await using Stream content = await model.OpenBlobAsync(blob.Hash, CancellationToken.None);
                await blobs.AddAsync(blob, content, CancellationToken.None);
            }
            loaded._executors.Add(await runtime.LoadAsync(part, blobs.Folder, isUrgent: false, CancellationToken.None));
        }
        return loaded;
    }

    /// <summary>Runs whole and parts in turn, so that a machine whose speed drifts moves both.</summary>
    /// <returns>The median of the parts' time over the whole's, and the median of the whole's seconds.</returns>
    public (double Ratio, double WholeSeconds) CompareWith(IPartitionExecutor whole, IReadOnlyDictionary<string, Tensor> inputs, int rounds)
    {
        const int WarmUp = 2;
        var ratios = new List<double>();
        var wholes = new List<double>();
        for (int round = -WarmUp; round < rounds; round++)
        {
            double wholeSeconds = Time(() => Dispose(whole.Execute(inputs, CancellationToken.None)));
            double partSeconds = Time(() => Run(inputs));
            if (round < 0)
                continue;
            ratios.Add(partSeconds / wholeSeconds);
            wholes.Add(wholeSeconds);
        }
        return (Median(ratios), Median(wholes));
    }

    public void Run(IReadOnlyDictionary<string, Tensor> inputs)
    {
        var values = new Dictionary<string, Tensor>(inputs);
        for (int part = 0; part < _parts.Length; part++)
        {
            Dictionary<string, Tensor> needed = _parts[part].Inputs.ToDictionary(static input => input.Name, input => values[input.Name]);
            foreach ((string name, Tensor tensor) in _executors[part].Execute(needed, CancellationToken.None))
                values.Add(name, tensor);
        }
        foreach ((string name, Tensor tensor) in values)
        {
            if (!inputs.ContainsKey(name))
                tensor.Dispose();
        }
    }

    public void Dispose()
    {
        foreach (IPartitionExecutor executor in _executors)
            executor.Dispose();
    }

    public static void Dispose(IReadOnlyDictionary<string, Tensor> tensors)
    {
        foreach (Tensor tensor in tensors.Values)
            tensor.Dispose();
    }

    private static double Time(Action run)
    {
        long started = Stopwatch.GetTimestamp();
        run();
        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
