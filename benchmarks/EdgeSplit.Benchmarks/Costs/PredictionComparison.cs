using System.Collections.Immutable;
using System.Globalization;
using EdgeSplit.Devices;
using EdgeSplit.Models;
using EdgeSplit.ModelZoo;
using EdgeSplit.Onnx;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Onnx.Runtime.Profiling;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;

namespace EdgeSplit.Benchmarks.Costs;

/// <summary>
/// Predicted against measured times of the parts of zoo models: before any measurement (a roofline from the device's calibrated
/// rates) and from the profile of the whole model. One thread; parts of about equal time, cut where little crosses.
/// </summary>
internal static class PredictionComparison
{
    private static readonly int[] PartCounts = [2, 3, 4, 6];

    /// <summary>How far from an equal share a cut may lie, as a share of the model's time, to cross fewer bytes.</summary>
    private const double CutTolerance = 0.08;

    private static readonly TimeSpan TimeForEach = TimeSpan.FromSeconds(2);

    public static async Task<int> RunAsync(string[] names)
    {
        var runtime = new OnnxPartitionRuntime(new OnnxRuntimeOptions { IntraOpThreads = 1 });
        Device device = await runtime.CalibrateAsync(CancellationToken.None);
        Console.WriteLine(FormattableString.Invariant($"{runtime.Name}, {device.FlopsPerSecond / 1e9:F0} GFLOP/s, {device.MemoryBytesPerSecond / 1e9:F0} GB/s, {device.LayerOverheadSeconds * 1e6:F2} µs a layer"));
        Console.WriteLine("| model | GFLOP | run ms | roofline | parts: median error | largest | parts / whole, 4 parts |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- |");
        var all = new List<double>();
        foreach (ZooEntry entry in names.Length > 0 ? names.Select(Zoo.Get) : Zoo.Entries)
        {
            DirectoryInfo folder = Directory.CreateTempSubdirectory("edgesplit-costs-");
            try
            {
                all.AddRange(await CompareAsync(entry, folder.FullName, runtime, device));
            }
            finally
            {
                folder.Delete(recursive: true);
            }
        }
        all.Sort();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{all.Count} parts: median error {all[all.Count / 2]:P1}, nine in ten below {all[all.Count * 9 / 10]:P1}"));
        return 0;
    }

    private static async Task<List<double>> CompareAsync(ZooEntry entry, string folder, OnnxPartitionRuntime runtime, Device device)
    {
        string path = Path.Combine(folder, "model.onnx");
        entry.Write(path);
        using OnnxModel model = OnnxModel.Open(path, new OnnxModelOptions { FreeDimensions = entry.TypicalDimensions });
        IReadOnlyDictionary<string, Tensor> inputs = entry.CreateInputs();
        LayerProfile profile = await new LayerProfiler(runtime, new LayerProfilerOptions { Duration = TimeForEach }).ProfileAsync(model, inputs, null, CancellationToken.None);

        var errors = new List<double>();
        double sumOfFour = 0;
        var blobs = new FolderBlobStore(Path.Combine(folder, "blobs"));
        foreach (int count in PartCounts)
        {
            int[] cuts = Cuts(model.Graph, profile.LayerSeconds, count);
            var parts = new List<ModelPartition>();
            for (int i = 0; i + 1 < cuts.Length; i++)
                parts.Add(await ExtractAsync(model, cuts[i], cuts[i + 1], blobs));
            ImmutableArray<TimeSpan> times = await PartitionTimes.MeasureAsync(runtime, parts, blobs.Folder, inputs, TimeForEach / 2, CancellationToken.None);
            errors.AddRange(times.Select((time, i) => Math.Abs((profile.LayerSeconds[cuts[i]..cuts[i + 1]].Sum() / time.TotalSeconds) - 1)));
            if (count == 4)
                sumOfFour = times.Sum(static time => time.TotalSeconds);
        }
        errors.Sort();
        double roofline = model.Graph.Layers.Sum(layer => RooflineSeconds(layer, model.Graph, device));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {entry.Name} | {model.Graph.FloatOperations / 1e9:F2} | {profile.ModelSeconds * 1e3:F2} | {(roofline / profile.ModelSeconds) - 1:+0%;-0%} | {errors[errors.Count / 2]:P1} | {errors[^1]:P1} | {sumOfFour / profile.ModelSeconds:F3} |"));
        return errors;
    }

    private static double RooflineSeconds(Layer layer, ModelGraph graph, Device device)
    {
        long bytes = layer.ActivationTrafficBytes + layer.Weights.Sum(weight => graph.Weights[weight].ByteCount);
        return Math.Max(layer.FloatOperations / device.FlopsPerSecond, bytes / device.MemoryBytesPerSecond) + device.LayerOverheadSeconds;
    }

    /// <summary>The first layer of each part, and the number of layers.</summary>
    private static int[] Cuts(ModelGraph graph, ImmutableArray<double> seconds, int count)
    {
        double[] before = new double[seconds.Length + 1];
        for (int i = 0; i < seconds.Length; i++)
            before[i + 1] = before[i] + seconds[i];
        var cuts = new List<int> { 0 };
        for (int part = 1; part < count; part++)
        {
            double target = before[^1] * part / count;
            int[] near = [.. Enumerable.Range(cuts[^1] + 1, seconds.Length - 1 - cuts[^1])
                .Where(cut => Math.Abs(before[cut] - target) <= CutTolerance * before[^1] && Crossing(graph, cut).All(static activation => activation.CanTravel))];
            if (near.Length > 0)
                cuts.Add(near.MinBy(cut => Crossing(graph, cut).Sum(static activation => activation.ByteCount)));
        }
        return [.. cuts, seconds.Length];
    }

    private static IEnumerable<Activation> Crossing(ModelGraph graph, int cut) =>
        graph.Activations.Where(activation => activation.Producer >= 0 && activation.Producer < cut && activation.Consumers.Any(consumer => consumer >= cut));

    private static async Task<ModelPartition> ExtractAsync(OnnxModel model, int from, int to, FolderBlobStore blobs)
    {
        ModelPartition part = model.Extract([.. Enumerable.Range(from, to - from)]);
        foreach (BlobReference blob in part.Blobs.Where(blob => !blobs.Contains(blob)))
        {
            await using Stream content = await model.OpenBlobAsync(blob.Hash, CancellationToken.None);
            await blobs.AddAsync(blob, content, CancellationToken.None);
        }
        return part;
    }
}
