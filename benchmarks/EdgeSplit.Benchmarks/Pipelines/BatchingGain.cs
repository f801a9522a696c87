using System.Diagnostics;
using System.Globalization;
using EdgeSplit.Benchmarks.Costs;
using EdgeSplit.Coordination;
using EdgeSplit.Coordination.Batching;
using EdgeSplit.Costs;
using EdgeSplit.ModelZoo;
using EdgeSplit.Onnx;
using EdgeSplit.Partitioning;
using EdgeSplit.Tensors;
using EdgeSplit.Transport;

namespace EdgeSplit.Benchmarks.Pipelines;

/// <summary>
/// Small models over two agents of one core each, with sixteen callers of one row each: requests per second and latency, joined and
/// not, in turns.
/// </summary>
internal static class BatchingGain
{
    private const int Callers = 16;
    private const int Rounds = 3;
    private static readonly TimeSpan RoundTime = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromMilliseconds(2);
    private static readonly int[] Batches = [1, 4, 8];

    public static async Task<int> RunAsync(string[] names)
    {
        Console.WriteLine("| model | rows joined at most | req/s | gain | median latency ms | 99 % ms | joined on average |");
        Console.WriteLine("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
        await using OneCoreAgent first = await OneCoreAgent.StartAsync(0), second = await OneCoreAgent.StartAsync(1);
        foreach (string name in names.Length > 0 ? names : ["bert-tiny", "bert-mini", "mobilenetv2", "resnet18"])
        {
            DirectoryInfo folder = Directory.CreateTempSubdirectory("edgesplit-batching-");
            try
            {
                await CompareAsync(Zoo.Get(name), Path.Combine(folder.FullName, "model.onnx"), first, second);
            }
            finally
            {
                folder.Delete(recursive: true);
            }
        }
        return 0;
    }

    private static async Task CompareAsync(ZooEntry entry, string path, OneCoreAgent first, OneCoreAgent second)
    {
        entry.Write(path);
        await using var coordinator = new Coordinator(
            new OnnxModelFormat(new OnnxModelOptions { FreeDimensions = entry.TypicalDimensions }),
            new CoordinatorOptions { CostModel = WeightedCostModel.ForObjective(PlanObjective.Throughput), Partitioner = new PipelinePartitioner(), Adaptation = null });
        foreach (OneCoreAgent agent in new[] { first, second })
            await coordinator.AddAgentAsync(await RemoteEdgeAgent.ConnectAsync(agent.Address));
        IReadOnlyDictionary<string, Tensor>[] inputs = [.. Enumerable.Range(0, Callers).Select(seed => entry.CreateInputs(seed))];
        var deployments = new List<Deployment>();
        var results = Batches.ToDictionary(static batch => batch, static _ => new List<Round>());
        PartitionPlan? plan = null;
        foreach (int batch in Batches)
        {
            deployments.Add(await coordinator.DeployAsync(path, new DeploymentOptions
            {
                Name = $"{entry.Name}-{batch}",
                Plan = plan,
                Batching = batch > 1 ? new BatchingOptions { MaxBatch = batch, MaxDelay = MaxDelay } : null,
            }));
            plan ??= deployments[0].Plan;
            await RunAsync(deployments[^1], inputs);
        }
        for (int round = 0; round < Rounds; round++)
        {
            foreach ((int batch, Deployment deployment) in Batches.Zip(deployments))
                results[batch].Add(await RunAsync(deployment, inputs));
        }
        double without = Median(results[1].Select(static round => round.PerSecond));
        foreach ((int batch, Deployment deployment) in Batches.Zip(deployments))
        {
            List<Round> rounds = results[batch];
            double perSecond = Median(rounds.Select(static round => round.PerSecond));
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {entry.Name} | {(batch == 1 ? "none" : deployment.IsBatching ? $"{batch}" : $"{batch}, refused")} | {perSecond:0.0} | {perSecond / without:0.00} | {Median(rounds.Select(static round => round.Latency50)):0.0} | {Median(rounds.Select(static round => round.Latency99)):0.0} | {Median(rounds.Select(static round => round.Joined)):0.0} |"));
        }
        foreach (Deployment deployment in deployments)
            await deployment.DisposeAsync();
    }

    private static async Task<Round> RunAsync(Deployment deployment, IReadOnlyDictionary<string, Tensor>[] inputs)
    {
        var latencies = new List<double>();
        long joined = 0, runs = 0;
        using var listener = new System.Diagnostics.Metrics.MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == EdgeSplitTelemetry.SourceName && instrument.Name == "edgesplit.batch.size")
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<int>((_, size, _, _) =>
        {
            Interlocked.Add(ref joined, size);
            Interlocked.Increment(ref runs);
        });
        listener.Start();
        long started = Stopwatch.GetTimestamp();
        await Task.WhenAll(inputs.Select(each => Task.Run(async () =>
        {
            while (Stopwatch.GetElapsedTime(started) < RoundTime)
            {
                using FinalResult result = await deployment.InferAsync(each);
                lock (latencies)
                    latencies.Add(result.Latency.TotalMilliseconds);
            }
        })));
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        latencies.Sort();
        return new Round(latencies.Count / seconds, latencies[latencies.Count / 2], latencies[latencies.Count * 99 / 100], runs == 0 ? 1 : (double)joined / runs);
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    private sealed record Round(double PerSecond, double Latency50, double Latency99, double Joined);
}
