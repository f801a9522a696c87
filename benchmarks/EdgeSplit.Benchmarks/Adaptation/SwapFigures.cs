using System.Globalization;
using EdgeSplit.Testbed;
using EdgeSplit.Testbed.Load;
using EdgeSplit.Testbed.Swaps;

namespace EdgeSplit.Benchmarks.Adaptation;

/// <summary>What many switches of plans cost the requests that run meanwhile, and how much memory they take.</summary>
internal static class SwapFigures
{
    public static async Task<int> RunAsync(string[] count)
    {
        if (TestbedSupport.NoProcessesReason is { } reason)
        {
            Console.Error.WriteLine(reason);
            return 1;
        }
        int swaps = count.Length > 0 ? int.Parse(count[0], CultureInfo.InvariantCulture) : 1000;
        Console.WriteLine("| model | swaps | requests during them | failed | other outputs | swap ms, median | latency ms without: p50 | p99 | during swaps: p50 | p99 | p99 added | memory MiB: one plan | during swaps, median | most | most / one plan |");
        Console.WriteLine("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
        SwapReport report = await SwapRun.RunAsync("mobilenetv2", swaps, TimeSpan.FromSeconds(10), TimeSpan.FromMilliseconds(50), inFlight: 1);
        double[] quiet = [At(report.Quiet, 50), At(report.Quiet, 99)], during = [At(report.During, 50), At(report.During, 99)];
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| mobilenetv2 | {report.Swaps} | {report.During.Count} | {report.During.Count(static outcome => outcome.Failure is not null)} | {report.During.Count(static outcome => outcome.Failure is null && !outcome.IsRight)} | {report.MedianSwap.TotalMilliseconds:0} | {quiet[0]:0.0} | {quiet[1]:0.0} | {during[0]:0.0} | {during[1]:0.0} | {during[1] - quiet[1]:0.0} | {report.QuietBytes / 1048576.0:0} | {report.DuringBytes / 1048576.0:0} | {report.PeakBytes / 1048576.0:0} | {(double)report.PeakBytes / report.QuietBytes:0.00} |"));
        return report.During.All(static outcome => outcome.IsRight) ? 0 : 1;
    }

    private static double At(IReadOnlyList<LoadOutcome> outcomes, double percentile) => Latencies.At(outcomes.Select(static outcome => outcome.Latency), percentile).TotalMilliseconds;
}
