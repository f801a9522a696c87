using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using EdgeSplit.Agents;
using EdgeSplit.Models;
using EdgeSplit.ModelZoo;
using EdgeSplit.Onnx;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Onnx.Splitting;
using EdgeSplit.Tensors;

namespace EdgeSplit.Benchmarks.Splitting;

/// <summary>Splits a model that is larger than any protocol buffer into four parts, in a process of its own whose peak memory is told, and runs them.</summary>
internal static class LargeSplit
{
    public const string ChildVerb = "split-large-child";
    private const int Parts = 4;

    public static async Task<int> RunAsync(string[] gigabytes)
    {
        double size = gigabytes.Length > 0 ? double.Parse(gigabytes[0], CultureInfo.InvariantCulture) : 3;
        DirectoryInfo folder = Directory.CreateTempSubdirectory("edgesplit-large-");
        try
        {
            string path = Path.Combine(folder.FullName, "model.onnx");
            ZooEntry entry = Zoo.LargeExternal((long)(size * 1e9));
            entry.Write(path);
            string[] command = SelfStart.Command(ChildVerb, path);
            using (Process child = Process.Start(command[0], command[1..]))
            {
                await child.WaitForExitAsync();
                if (child.ExitCode != 0)
                    return child.ExitCode;
            }
            await RunPartsAsync(entry, path);
            return 0;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Splits, and prints the time, the largest part and the peak of this process's memory.</summary>
    public static async Task<int> RunChildAsync(string path)
    {
        long started = Stopwatch.GetTimestamp();
        using OnnxModel model = OnnxModel.Open(path);
        ImmutableArray<ImmutableArray<int>> stages = LayerwiseStages.Of(model.Graph, Parts);
        long largest = 0, total = 0;
        for (int stage = 0; stage < Parts; stage++)
        {
            ModelPartition part = model.Extract(stages[stage]);
            await PartitionWriter.WriteAsync(part, model, PartPath(path, stage));
            largest = Math.Max(largest, part.WeightBytes);
            total += part.WeightBytes;
        }
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        long peak = PeakBytes();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"split {total / 1e9:0.00} GB into {Parts} parts in {seconds:0.0} s; largest part {largest / 1e6:0} MB, peak memory {peak / 1e6:0} MB, allowed {((1.1 * largest) + 200e6) / 1e6:0} MB"));
        return 0;
    }

    private static async Task RunPartsAsync(ZooEntry entry, string path)
    {
        var runtime = new OnnxPartitionRuntime(new OnnxRuntimeOptions { IntraOpThreads = 1 });
        using OnnxModel model = OnnxModel.Open(path);
        IReadOnlyDictionary<string, Tensor> inputs = RandomTensors.ForInputs(model.Inputs, 1, entry.TypicalDimensions);
        var values = new Dictionary<string, Tensor>(inputs);
        for (int stage = 0; stage < Parts; stage++)
        {
            // One part at a time: all of them would fill the machine.
            using OnnxModel opened = OnnxModel.Open(PartPath(path, stage));
            using IPartitionExecutor part = await runtime.LoadModelAsync(opened.Path);
            Dictionary<string, Tensor> needed = opened.Inputs.ToDictionary(static input => input.Name, input => values[input.Name]);
            foreach ((string name, Tensor tensor) in part.Execute(needed, CancellationToken.None))
                values[name] = tensor;
        }
        using IPartitionExecutor whole = await runtime.LoadModelAsync(path);
        IReadOnlyDictionary<string, Tensor> expected = whole.Execute(inputs, CancellationToken.None);
        bool isEqual = expected.All(output => output.Value.Bytes.Span.SequenceEqual(values[output.Key].Bytes.Span));
        Console.WriteLine($"the parts give {(isEqual ? "exactly what the whole model gives" : "something else than the whole model")}");
    }

    private static string PartPath(string path, int stage) => Path.Combine(Path.GetDirectoryName(path)!, $"part-{stage}.onnx");

    private static long PeakBytes()
    {
        using var self = Process.GetCurrentProcess();
        return self.PeakWorkingSet64;
    }
}
