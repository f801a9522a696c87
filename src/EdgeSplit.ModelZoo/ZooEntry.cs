using System.Collections.Immutable;
using EdgeSplit.ModelZoo.Graphs;
using EdgeSplit.ModelZoo.Writing;
using EdgeSplit.Tensors;

namespace EdgeSplit.ModelZoo;

/// <summary>One model of the zoo: a published topology whose weights are made from a seed.</summary>
/// <remarks>Thread-safe.</remarks>
public sealed class ZooEntry
{
    private readonly Lazy<ZooGraph> _graph;
    private readonly bool _alwaysExternal;

    internal ZooEntry(string name, string description, Func<string, ZooGraph> build, IReadOnlyDictionary<string, long> typicalDimensions, bool alwaysExternal = false)
    {
        Name = name;
        Description = description;
        TypicalDimensions = typicalDimensions;
        _graph = new Lazy<ZooGraph>(() => build(name));
        _alwaysExternal = alwaysExternal;
    }

    /// <summary>The model's name, such as <c>resnet50</c>.</summary>
    public string Name { get; }

    /// <summary>What the model is, in one line.</summary>
    public string Description { get; }

    /// <summary>The trained parameters, counted as published: without the running statistics of batch normalisation, a shared table once.</summary>
    public long ParameterCount => Graph.ParameterCount;

    /// <summary>The bytes of all weights, running statistics included.</summary>
    public long WeightBytes => Graph.WeightBytes;

    /// <summary>The inputs; sizes known only at run time are symbols.</summary>
    public ImmutableArray<TensorInfo> Inputs => Graph.Inputs;

    /// <summary>The outputs, float32; sizes known only at run time are symbols.</summary>
    public ImmutableArray<TensorInfo> Outputs => Graph.Outputs;

    /// <summary>A usual size for each symbol in <see cref="Inputs"/> and <see cref="Outputs"/>.</summary>
    public IReadOnlyDictionary<string, long> TypicalDimensions { get; }

    internal ZooGraph Graph => _graph.Value;

    /// <summary>Random inputs that the model accepts: floats from -1 to 1, ids of its vocabulary, masks that hide nothing.</summary>
    /// <param name="seed">Which inputs; the same seed gives the same ones everywhere.</param>
    /// <param name="dimensions">A size for each symbol in <see cref="Inputs"/>; <see cref="TypicalDimensions"/> where null.</param>
    /// <returns>A tensor for each input's name, the caller's to dispose of.</returns>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidArgument"/>: a symbol has no size.</exception>
    public IReadOnlyDictionary<string, Tensor> CreateInputs(int seed = 0, IReadOnlyDictionary<string, long>? dimensions = null) =>
        Inputs.ToDictionary(
            static input => input.Name,
            input => SampleInputs.Create(input, Graph.IdRanges.GetValueOrDefault(input.Name), dimensions ?? TypicalDimensions, seed));

    /// <summary>
    /// Writes the model as an ONNX file. A model above 2 GiB has its weights in a second file, <c>{path}.data</c>. The
    /// files appear under their names only when complete, and replace older ones.
    /// </summary>
    /// <remarks>The same seed gives the same bytes on every platform. Memory use does not grow with the model.</remarks>
    /// <param name="path">The file, usually ending in <c>.onnx</c>, in a folder that exists.</param>
    /// <param name="seed">Which weights the model gets.</param>
    /// <param name="progress">Told the part of the weights written so far, from 0 to 1.</param>
    /// <param name="cancellationToken">Stops the writing; no file stays.</param>
    /// <exception cref="EdgeSplitException">
    /// <see cref="EdgeSplitError.NotFound"/>: there is no such folder; <see cref="EdgeSplitError.InvalidArgument"/>: the file
    /// cannot be made there; <see cref="EdgeSplitError.ResourceExhausted"/>: the disk is full.
    /// </exception>
    public void Write(string path, int seed = 0, IProgress<double>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Directory.Exists(path))
            throw new EdgeSplitException(EdgeSplitError.InvalidArgument, $"The model '{Name}' cannot be written to '{path}': that is a folder; name a file in it.");
        var writer = new ModelWriter(Graph, seed, progress, cancellationToken);
        try
        {
            if (_alwaysExternal || ModelWriter.NeedsDataFile(Graph))
                writer.WriteWithDataFile(path);
            else
                writer.WriteWhole(path);
        }
        catch (DirectoryNotFoundException e)
        {
            throw new EdgeSplitException(EdgeSplitError.NotFound, $"The model '{Name}' cannot be written to '{path}': there is no such folder; create it first.", e);
        }
        catch (IOException e) when (DiskErrors.IsFull(e))
        {
            throw new EdgeSplitException(EdgeSplitError.ResourceExhausted,
                $"The model '{Name}' needs {WeightBytes:N0} bytes at '{path}' and the disk has no room for them; free some or choose another disk.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EdgeSplitException(EdgeSplitError.InvalidArgument, $"The model '{Name}' cannot be written to '{path}': {e.Message}", e);
        }
    }
}
