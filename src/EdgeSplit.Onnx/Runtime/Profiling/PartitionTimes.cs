using System.Collections.Immutable;
using System.Diagnostics;
using EdgeSplit.Agents;
using EdgeSplit.Models;
using EdgeSplit.Tensors;

namespace EdgeSplit.Onnx.Runtime.Profiling;

/// <summary>
/// Measures the parts of a split themselves. A part's time is not the sum of its layers' times in the whole model: fusions and
/// memory layouts end at the cut. So the plans on the short list are measured before one is chosen.
/// </summary>
public static class PartitionTimes
{
    private const int WarmUpRounds = 2;
    private const int LeastRounds = 3;

    /// <summary>Runs the parts in turn, each with what the parts before it made, and takes each one's lower quartile.</summary>
    /// <param name="runtime">Runs the parts.</param>
    /// <param name="partitions">The parts, in an order in which they can run.</param>
    /// <param name="blobFolder">The folder that holds each blob of the parts as a file named by its hash.</param>
    /// <param name="inputs">The inputs that no part makes, by name; borrowed until the task completes.</param>
    /// <param name="duration">About how long to repeat; three rounds are made at least.</param>
    /// <param name="cancellationToken">Stops the measurement.</param>
    /// <returns>The time of each part, the lower quartile of its runs.</returns>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidInput"/>: neither the inputs nor a part before it has what a part needs;
    /// or what loading and running the parts throws.</exception>
    public static async ValueTask<ImmutableArray<TimeSpan>> MeasureAsync(
        IPartitionRuntime runtime,
        IReadOnlyList<ModelPartition> partitions,
        string blobFolder,
        IReadOnlyDictionary<string, Tensor> inputs,
        TimeSpan duration,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(runtime);
        ArgumentNullException.ThrowIfNull(partitions);
        ArgumentNullException.ThrowIfNull(inputs);
        if (partitions.Count == 0)
            return [];
        var executors = new List<IPartitionExecutor>();
        try
        {
            foreach (ModelPartition partition in partitions)
                executors.Add(await runtime.LoadAsync(partition, blobFolder, isUrgent: false, cancellationToken).ConfigureAwait(false));
            return await Task.Run(() => Measure(partitions, executors, inputs, duration, cancellationToken), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            foreach (IPartitionExecutor executor in executors)
                executor.Dispose();
        }
    }

    private static ImmutableArray<TimeSpan> Measure(
        IReadOnlyList<ModelPartition> partitions, List<IPartitionExecutor> executors, IReadOnlyDictionary<string, Tensor> inputs, TimeSpan duration, CancellationToken cancellationToken)
    {
        List<double>[] seconds = [.. executors.Select(static _ => new List<double>())];
        for (int i = 0; i < WarmUpRounds; i++)
            RunRound(partitions, executors, inputs, seconds, cancellationToken);
        foreach (List<double> list in seconds)
            list.Clear();
        long start = Stopwatch.GetTimestamp();
        do
        {
            RunRound(partitions, executors, inputs, seconds, cancellationToken);
        }
        while (seconds[0].Count < LeastRounds || Stopwatch.GetElapsedTime(start) < duration);
        return [.. seconds.Select(static list => TimeSpan.FromSeconds(RunTimes.Typical(list)))];
    }

    private static void RunRound(
        IReadOnlyList<ModelPartition> partitions, List<IPartitionExecutor> executors, IReadOnlyDictionary<string, Tensor> inputs, List<double>[] seconds, CancellationToken cancellationToken)
    {
        var made = new Dictionary<string, Tensor>();
        try
        {
            for (int i = 0; i < executors.Count; i++)
            {
                Dictionary<string, Tensor> needed = partitions[i].Inputs.ToDictionary(
                    static input => input.Name,
                    input => made.GetValueOrDefault(input.Name) ?? inputs.GetValueOrDefault(input.Name)
                        ?? throw new EdgeSplitException(EdgeSplitError.InvalidInput, $"Nothing makes '{input.Name}', which partition {partitions[i].Id} needs; give it, or put the part that makes it first."));
                long start = Stopwatch.GetTimestamp();
                IReadOnlyDictionary<string, Tensor> outputs = executors[i].Execute(needed, cancellationToken);
                seconds[i].Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
                foreach ((string name, Tensor tensor) in outputs)
                    made.Add(name, tensor);
            }
        }
        finally
        {
            made.DisposeTensors();
        }
    }
}
