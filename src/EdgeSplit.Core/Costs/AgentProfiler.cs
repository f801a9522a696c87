using System.Collections.Immutable;
using EdgeSplit.Agents;
using EdgeSplit.Costs.Internal;
using EdgeSplit.Models;
using EdgeSplit.Tensors;

namespace EdgeSplit.Costs;

/// <summary>
/// Measures a model's layers on an agent's own hardware, through what every agent does: the model is cut into segments of about
/// equal work, and the agent loads and runs them one after the other, so that only one of them needs its memory at a time. The
/// agent itself takes the times, so the link to it does not count. Within a segment layers share its time by their estimates.
/// </summary>
/// <remarks>
/// Thread-safe. Agents may be measured side by side; those that share a machine then see each other, as they will when they serve.
/// The result goes into <see cref="Partitioning.PartitionProblem.MeasuredLayerSeconds"/>.
/// </remarks>
/// <param name="options">How to measure; defaults where null.</param>
public sealed class AgentProfiler(AgentProfilerOptions? options = null)
{
    private const int WarmUpRuns = 2;
    private const int LeastRuns = 3;

    private readonly AgentProfilerOptions _options = options ?? new AgentProfilerOptions();

    /// <summary>Measures a model on an agent, or takes what was measured before from the cache.</summary>
    /// <param name="model">The model; the agent takes the weights that it lacks from it.</param>
    /// <param name="agent">The agent, best without other work.</param>
    /// <param name="inputs">What to run the model with, borrowed until the task completes.</param>
    /// <param name="progress">Told the share of the work done, from 0 to 1.</param>
    /// <param name="cancellationToken">Stops the measurement; nothing stays loaded.</param>
    /// <returns>Seconds of each layer, by <see cref="Layer.Index"/>.</returns>
    /// <exception cref="EdgeSplitException">What loading or running a segment on the agent throws.</exception>
    public async ValueTask<ImmutableArray<double>> ProfileAsync(
        ISplittableModel model, IEdgeAgent agent, IReadOnlyDictionary<string, Tensor> inputs, IProgress<double>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(agent);
        ArgumentNullException.ThrowIfNull(inputs);
        AgentDescription description = await agent.DescribeAsync(cancellationToken).ConfigureAwait(false);
        double[] estimates = _options.RelativeLayerSeconds is { IsDefault: false } given && given.Length == model.Graph.Layers.Length
            ? [.. given]
            : LayerEstimates.Of(model.Graph, description.Device, _options.CostModel);
        ImmutableArray<ImmutableArray<int>> segments = ModelSegments.Of(model.Graph, estimates, _options.Segments);
        ImmutableArray<ModelPartition> partitions = [.. segments.Select(layers => model.Extract(layers))];

        AgentProfileCache? cache = _options.CacheFolder is { } folder ? AgentProfileCache.For(folder, description, partitions, inputs) : null;
        double[]? seconds = cache?.TryRead(segments.Length);
        if (seconds is null)
        {
            seconds = await MeasureAsync(model, agent, partitions, inputs, progress, cancellationToken).ConfigureAwait(false);
            cache?.Write(seconds);
        }
        progress?.Report(1);
        return Spread(segments, seconds, estimates);
    }

    private static ImmutableArray<double> Spread(ImmutableArray<ImmutableArray<int>> segments, double[] seconds, double[] estimates)
    {
        double[] layers = new double[estimates.Length];
        for (int segment = 0; segment < segments.Length; segment++)
        {
            double estimated = segments[segment].Sum(layer => estimates[layer]);
            foreach (int layer in segments[segment])
                layers[layer] = seconds[segment] * (estimated > 0 ? estimates[layer] / estimated : 1.0 / segments[segment].Length);
        }
        return [.. layers];
    }

    private async ValueTask<double[]> MeasureAsync(
        ISplittableModel model,
        IEdgeAgent agent,
        ImmutableArray<ModelPartition> partitions,
        IReadOnlyDictionary<string, Tensor> inputs,
        IProgress<double>? progress,
        CancellationToken cancellationToken)
    {
        double[] seconds = new double[partitions.Length];
        var made = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        try
        {
            for (int segment = 0; segment < partitions.Length; segment++)
            {
                ModelPartition partition = partitions[segment];
                Dictionary<string, Tensor> needed = partition.Inputs.ToDictionary(
                    static input => input.Name,
                    input => made.GetValueOrDefault(input.Name) ?? inputs.GetValueOrDefault(input.Name)
                        ?? throw new EdgeSplitException(EdgeSplitError.InvalidInput, $"The input '{input.Name}' of model '{model.Graph.Name}' is missing. Give one for each input."));
                await agent.LoadAsync(new ModelPartitionRequest(model.Graph.Name, partition), model, cancellationToken).ConfigureAwait(false);
                try
                {
                    seconds[segment] = await RunAsync(agent, partition, needed, made, cancellationToken).ConfigureAwait(false);
                }
                finally
                {
                    await agent.UnloadAsync(partition.Id, CancellationToken.None).ConfigureAwait(false);
                }
                progress?.Report((segment + 1.0) / partitions.Length);
            }
        }
        finally
        {
            made.DisposeTensors();
        }
        return seconds;
    }

    /// <summary>The lower quartile of a segment's runs, whose last outputs are added to what was made.</summary>
    private async ValueTask<double> RunAsync(
        IEdgeAgent agent, ModelPartition partition, Dictionary<string, Tensor> needed, Dictionary<string, Tensor> made, CancellationToken cancellationToken)
    {
        TimeSpan limit = _options.Duration / _options.Segments;
        var times = new List<double>();
        long started = _options.TimeProvider.GetTimestamp();
        for (int run = 0; ; run++)
        {
            PartialResult result = await agent.ExecuteAsync(new InferenceRequest(Guid.NewGuid(), partition.Id, needed), cancellationToken).ConfigureAwait(false);
            if (run >= WarmUpRuns)
                times.Add(result.ComputeTime.TotalSeconds);
            if (times.Count >= LeastRuns && _options.TimeProvider.GetElapsedTime(started) >= limit)
            {
                foreach ((string name, Tensor tensor) in result.Outputs)
                    made.Add(name, tensor);
                return Quantiles.Of(times.ToArray(), 0.25);
            }
            result.Dispose();
        }
    }
}
