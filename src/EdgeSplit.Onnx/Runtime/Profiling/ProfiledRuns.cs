using System.Diagnostics;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Onnx.Runtime.Native;
using EdgeSplit.Tensors;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;

namespace EdgeSplit.Onnx.Runtime.Profiling;

/// <summary>What the runs of a model gave.</summary>
/// <param name="ModelSeconds">The typical time of a run without profiling, see <see cref="RunTimes"/>.</param>
/// <param name="NodeSeconds">The typical time of each node by its name, profiled.</param>
/// <param name="Optimized">The graph that ran.</param>
internal sealed record ProfiledRuns(double ModelSeconds, IReadOnlyDictionary<string, double> NodeSeconds, GraphProto Optimized)
{
    private const int Blocks = 4;
    private const int SkippedRuns = 2;
    private const int LeastRuns = 3;

    /// <summary>A trace has some 700 bytes for each event; this bounds it to about 100 MB.</summary>
    private const int MostEvents = 150_000;

    /// <summary>Runs a model with and without profiling in turns, so that a change of the machine's speed meets both alike.</summary>
    public static ProfiledRuns Measure(
        OnnxPartitionRuntime runtime,
        ModelProto model,
        string modelFolder,
        IReadOnlyDictionary<string, Tensor> inputs,
        TimeSpan duration,
        IProgress<double>? progress,
        CancellationToken cancellationToken)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("edgesplit-profile-");
        try
        {
            byte[] bytes = model.ToByteArray();
            string optimizedPath = Path.Combine(folder.FullName, "optimized.onnx");
            using OrtSession plainSession = runtime.CreateSession(bytes, modelFolder, adjust: null, cancellationToken);
            using OrtSession profiledSession = runtime.CreateSession(bytes, modelFolder, options => Profile(options, folder.FullName, optimizedPath), cancellationToken);
            using var plain = new OnnxPartitionExecutor($"model '{model.Graph.Name}'", plainSession);
            using var profiled = new OnnxPartitionExecutor($"model '{model.Graph.Name}'", profiledSession);
            GraphProto optimized = ModelProto.Parser.ParseFrom(File.ReadAllBytes(optimizedPath)).Graph;

            List<double> seconds = Alternate(plain, profiled, inputs, duration, Math.Max(MostEvents / Math.Max(optimized.Node.Count, 1), SkippedRuns + LeastRuns), progress, cancellationToken);
            string trace = profiledSession.EndProfiling();
            Dictionary<string, double> nodes = KernelTimes.Read(File.ReadAllBytes(trace), optimized.Node.Select(static node => node.Name).ToHashSet(), SkippedRuns);
            return new ProfiledRuns(RunTimes.Typical(seconds), nodes, optimized);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>
    /// Runs both in blocks. Runs in turn would be fairer still, but then each finds the other's weights in the processor's caches:
    /// measured, a decoder of 24 MB takes 1.7 times as long.
    /// </summary>
    private static List<double> Alternate(
        OnnxPartitionExecutor plain,
        OnnxPartitionExecutor profiled,
        IReadOnlyDictionary<string, Tensor> inputs,
        TimeSpan duration,
        int mostRuns,
        IProgress<double>? progress,
        CancellationToken cancellationToken)
    {
        var plainSeconds = new List<double>();
        int profiledRuns = 0;
        for (int block = 0; block < Blocks; block++)
        {
            long start = Stopwatch.GetTimestamp();
            RunTimes.RunOnce(plain, inputs, cancellationToken);
            do
            {
                plainSeconds.Add(RunTimes.RunOnce(plain, inputs, cancellationToken));
                Report(block, Math.Min(Share(start), 0.5));
            }
            while (plainSeconds.Count < LeastRuns || Share(start) < 0.5);

            start = Stopwatch.GetTimestamp();
            do
            {
                RunTimes.RunOnce(profiled, inputs, cancellationToken);
                profiledRuns++;
                Report(block, 0.5 + Share(start));
            }
            while (profiledRuns < SkippedRuns + LeastRuns || (profiledRuns < mostRuns && Share(start) < 0.5));
        }
        progress?.Report(1);
        return plainSeconds;

        double Share(long start) => Stopwatch.GetElapsedTime(start) * Blocks / duration;

        void Report(int block, double share) => progress?.Report((block + Math.Min(share, 1)) / Blocks);
    }

    private static void Profile(SessionOptions options, string folder, string optimizedPath)
    {
        // The prefix counts only when it is set before profiling is switched on.
        options.ProfileOutputPathPrefix = Path.Combine(folder, "trace");
        options.EnableProfiling = true;
        SessionSettings.SaveOptimized(options, optimizedPath, "optimized.weights");
    }
}
