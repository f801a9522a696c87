using System.Collections.Immutable;
using EdgeSplit.Models;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Onnx.Runtime.Native;
using EdgeSplit.Tensors;

namespace EdgeSplit.Onnx.Runtime.Profiling;

/// <summary>
/// Measures how long each layer of a model takes on this machine: ONNX Runtime's own times of the operators, corrected until
/// they add up to the time of a run without profiling. The result goes into
/// <see cref="Partitioning.PartitionProblem.MeasuredLayerSeconds"/>.
/// </summary>
/// <remarks>Thread-safe, but runs at the same time disturb each other's figures.</remarks>
/// <param name="runtime">Runs the model; its options and provider are those that are measured.</param>
/// <param name="options">How to measure; null for the defaults.</param>
public sealed class LayerProfiler(OnnxPartitionRuntime runtime, LayerProfilerOptions? options = null)
{
    private readonly LayerProfilerOptions _options = options ?? new LayerProfilerOptions();

    /// <summary>Measures a model, or takes what was measured before from the cache.</summary>
    /// <param name="model">The model.</param>
    /// <param name="inputs">What to run it with, borrowed until the task completes; null for random inputs.</param>
    /// <param name="progress">Told the share of the work done, from 0 to 1.</param>
    /// <param name="cancellationToken">Stops the measurement.</param>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidInput"/> or <see cref="EdgeSplitError.ExecutionFailed"/>: the model does not run with the inputs;
    /// <see cref="EdgeSplitError.InvalidModel"/> or <see cref="EdgeSplitError.UnsupportedModel"/>: ONNX Runtime rejects it.</exception>
    public async ValueTask<LayerProfile> ProfileAsync(
        OnnxModel model,
        IReadOnlyDictionary<string, Tensor>? inputs,
        IProgress<double>? progress,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(model);
        return await Task.Run(() => Profile(model, inputs, progress, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    private LayerProfile Profile(OnnxModel model, IReadOnlyDictionary<string, Tensor>? given, IProgress<double>? progress, CancellationToken cancellationToken)
    {
        IReadOnlyDictionary<string, Tensor> inputs = given ?? RandomTensors.ForInputs(model.Inputs, sizes: _options.FreeDimensions);
        try
        {
            ProfileCache? cache = _options.CacheFolder is { } folder ? ProfileCache.For(folder, model, runtime, inputs) : null;
            if (cache?.TryRead(model.Graph.Layers.Length) is { } known)
            {
                progress?.Report(1);
                return known;
            }
            LayerProfile measured = Measure(model, inputs, progress, cancellationToken);
            cache?.Write(measured);
            return measured;
        }
        catch (OrtFailure failure)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new EdgeSplitException(failure.LoadError, $"ONNX Runtime rejects the model '{model.Path}': {failure.Message}", failure);
        }
        finally
        {
            if (given is null)
            {
                inputs.DisposeTensors();
            }
        }
    }

    private LayerProfile Measure(OnnxModel model, IReadOnlyDictionary<string, Tensor> inputs, IProgress<double>? progress, CancellationToken cancellationToken)
    {
        var layerOfTensor = new Dictionary<string, int>();
        for (int layer = 0; layer < model.LayerNodes.Length; layer++)
        {
            foreach (string output in model.LayerNodes[layer].Nodes.SelectMany(static node => node.Outputs))
                layerOfTensor[output] = layer;
        }
        // Names may be missing in a model; with names of our own, nodes that stay as they are can be told.
        ModelProto named = model.Skeleton.Clone();
        for (int i = 0; i < named.Graph.Node.Count; i++)
            named.Graph.Node[i].Name = $"edgesplit:{i}";

        string modelFolder = Path.GetDirectoryName(Path.GetFullPath(model.Path))!;
        ProfiledRuns runs = ProfiledRuns.Measure(runtime, named, modelFolder, inputs, _options.Duration, progress, cancellationToken);
        return Attribute(model.Graph, runs, NodeOwners.Find(named.Graph, runs.Optimized, layerOfTensor));
    }

    /// <summary>Gives each node's time to its layers. Layers that were fused share it by their arithmetic: what is fused into a convolution is nearly free.</summary>
    private LayerProfile Attribute(ModelGraph graph, ProfiledRuns runs, IReadOnlyDictionary<string, IReadOnlySet<int>> owners)
    {
        double[] seconds = new double[graph.Layers.Length];
        double total = 0;
        foreach ((string node, double time) in ProfilingOverhead.Remove(runs.NodeSeconds, runs.ModelSeconds))
        {
            total += time;
            if (!owners.TryGetValue(node, out IReadOnlySet<int>? layers))
                continue;
            double operations = layers.Sum(layer => Weight(graph.Layers[layer]));
            foreach (int layer in layers)
                seconds[layer] += time * Weight(graph.Layers[layer]) / operations;
        }
        double attributed = seconds.Sum();
        // A model without operators of its own still takes the time of a call: every layer gets its share.
        ImmutableArray<double> scaled = attributed > 0
            ? [.. seconds.Select(time => time * runs.ModelSeconds / attributed)]
            : [.. seconds.Select(_ => runs.ModelSeconds / seconds.Length)];
        return new LayerProfile
        {
            LayerSeconds = scaled,
            ModelSeconds = runs.ModelSeconds,
            KernelSeconds = runs.NodeSeconds.Values.Sum(),
            UnattributedShare = total > 0 ? (total - attributed) / total : 0,
            Runtime = $"{runtime.Name} {runtime.ExecutionProvider}",
        };

        static double Weight(Layer layer) => Math.Max(layer.FloatOperations, 1);
    }
}
