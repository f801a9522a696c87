using System.Diagnostics;
using EdgeSplit.Agents;
using EdgeSplit.Tensors;

namespace EdgeSplit.Onnx.Runtime;

/// <summary>Measures how long an executor takes.</summary>
internal static class RunTimes
{
    private const int WarmUpRuns = 2;
    private const int LeastRuns = 3;

    /// <summary>The median time of runs one after the other, for about the given time and three runs at least.</summary>
    public static double MedianSeconds(IPartitionExecutor executor, IReadOnlyDictionary<string, Tensor> inputs, TimeSpan duration, CancellationToken cancellationToken)
    {
        for (int i = 0; i < WarmUpRuns; i++)
            RunOnce(executor, inputs, cancellationToken);
        var seconds = new List<double>();
        long start = Stopwatch.GetTimestamp();
        while (seconds.Count < LeastRuns || Stopwatch.GetElapsedTime(start) < duration)
            seconds.Add(RunOnce(executor, inputs, cancellationToken));
        return Median(seconds);
    }

    /// <summary>The middle value, or the mean of the two in the middle; the list is sorted.</summary>
    public static double Median(List<double> values)
    {
        values.Sort();
        return (values[(values.Count - 1) / 2] + values[values.Count / 2]) / 2;
    }

    private static double RunOnce(IPartitionExecutor executor, IReadOnlyDictionary<string, Tensor> inputs, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        IReadOnlyDictionary<string, Tensor> outputs = executor.Execute(inputs, cancellationToken);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        foreach (Tensor output in outputs.Values)
            output.Dispose();
        return seconds;
    }
}
