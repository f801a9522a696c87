using System.Diagnostics;
using EdgeSplit.Agents;
using EdgeSplit.Tensors;

namespace EdgeSplit.Onnx.Runtime;

/// <summary>Measures how long an executor takes.</summary>
internal static class RunTimes
{
    private const int WarmUpRuns = 2;
    private const int LeastRuns = 3;

    /// <summary>The typical time of runs one after the other, for about the given time and three runs at least.</summary>
    public static double TypicalSeconds(IPartitionExecutor executor, IReadOnlyDictionary<string, Tensor> inputs, TimeSpan duration, CancellationToken cancellationToken)
    {
        for (int i = 0; i < WarmUpRuns; i++)
            RunOnce(executor, inputs, cancellationToken);
        var seconds = new List<double>();
        long start = Stopwatch.GetTimestamp();
        while (seconds.Count < LeastRuns || Stopwatch.GetElapsedTime(start) < duration)
            seconds.Add(RunOnce(executor, inputs, cancellationToken));
        return Typical(seconds);
    }

    /// <summary>
    /// The lower quartile, interpolated; the list is sorted. On an idle machine it is within a percent of the median; where other
    /// programs take the processor from some runs, those do not count.
    /// </summary>
    public static double Typical(List<double> values)
    {
        values.Sort();
        double position = (values.Count - 1) / 4.0;
        int below = (int)position;
        return below + 1 < values.Count ? values[below] + ((position - below) * (values[below + 1] - values[below])) : values[below];
    }

    /// <summary>The seconds of one run.</summary>
    public static double RunOnce(IPartitionExecutor executor, IReadOnlyDictionary<string, Tensor> inputs, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        IReadOnlyDictionary<string, Tensor> outputs = executor.Execute(inputs, cancellationToken);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        outputs.DisposeTensors();
        return seconds;
    }
}
