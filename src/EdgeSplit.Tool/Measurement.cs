using System.Collections.Immutable;
using System.Diagnostics;
using EdgeSplit.Coordination;
using EdgeSplit.Tensors;

namespace EdgeSplit.Tool;

/// <summary>How a deployment answered a number of equal requests.</summary>
internal sealed class Measurement
{
    private readonly TimeSpan[] _sortedLatencies;
    private readonly ImmutableArray<StageTiming>[] _stages;

    private Measurement(int concurrency, TimeSpan elapsed, TimeSpan[] latencies, ImmutableArray<StageTiming>[] stages)
    {
        Concurrency = concurrency;
        RequestsPerSecond = latencies.Length / elapsed.TotalSeconds;
        _sortedLatencies = [.. latencies.Order()];
        _stages = stages;
    }

    public static ImmutableArray<double> Percentiles { get; } = [50, 90, 99];

    public int Requests => _sortedLatencies.Length;

    public int Concurrency { get; }

    public double RequestsPerSecond { get; }

    /// <summary>Runs one request that is not counted, then the others, some of them in flight at a time.</summary>
    public static async Task<Measurement> TakeAsync(Deployment deployment, IReadOnlyDictionary<string, Tensor> inputs, int requests, int concurrency, CancellationToken cancellationToken)
    {
        (await deployment.InferAsync(inputs, cancellationToken)).Dispose();
        var latencies = new TimeSpan[requests];
        var stages = new ImmutableArray<StageTiming>[requests];
        int next = -1;
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, Math.Min(concurrency, requests)).Select(_ => Task.Run(RunAsync, cancellationToken)));
        return new Measurement(concurrency, watch.Elapsed, latencies, stages);

        async Task RunAsync()
        {
            int request;
            while ((request = Interlocked.Increment(ref next)) < requests)
            {
                using FinalResult result = await deployment.InferAsync(inputs, cancellationToken);
                latencies[request] = result.Latency;
                stages[request] = result.Stages;
            }
        }
    }

    /// <summary>The latency that a share of the requests stayed within (nearest rank).</summary>
    public TimeSpan LatencyAt(double percentile) =>
        _sortedLatencies[Math.Max((int)Math.Ceiling(percentile / 100 * _sortedLatencies.Length) - 1, 0)];

    /// <summary>For each stage the median of each of its times.</summary>
    public IEnumerable<StageTiming> MedianStages() => _stages
        .SelectMany(static stages => stages)
        .GroupBy(static stage => (stage.Stage, stage.AgentId))
        .OrderBy(static group => group.Key.Stage)
        .Select(static group => new StageTiming(
            group.Key.Stage,
            group.Key.AgentId,
            Median(group, static stage => stage.Started),
            Median(group, static stage => stage.Total),
            Median(group, static stage => stage.Compute),
            Median(group, static stage => stage.Queue)));

    private static TimeSpan Median(IEnumerable<StageTiming> stages, Func<StageTiming, TimeSpan> time)
    {
        TimeSpan[] sorted = [.. stages.Select(time).Order()];
        return sorted[sorted.Length / 2];
    }
}
