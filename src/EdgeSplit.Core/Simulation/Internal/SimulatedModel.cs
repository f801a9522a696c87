using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;
using EdgeSplit.Costs;
using EdgeSplit.Costs.Internal;
using EdgeSplit.Devices;
using EdgeSplit.Models;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;

namespace EdgeSplit.Simulation.Internal;

/// <summary>A model whose tensors are one byte each and whose weights are never read: the graph says how large they would be.</summary>
internal sealed class SimulatedModel(ModelGraph graph, ICostModel costModel) : ISplittableModel, IModelFormat
{
    private readonly ConcurrentDictionary<Device, double[]> _layerSeconds = new();

    public ModelGraph Graph => graph;

    public ImmutableArray<TensorInfo> Inputs { get; } = [.. graph.Inputs.Select(index => Placeholder(graph.Activations[index]))];

    public ImmutableArray<TensorInfo> Outputs { get; } = [.. graph.Outputs.Select(index => Placeholder(graph.Activations[index]))];

    public string Name => "simulated";

    public ValueTask<ISplittableModel> OpenAsync(string path, CancellationToken cancellationToken) => new(this);

    public ModelPartition Extract(IReadOnlyCollection<int> layers)
    {
        HashSet<int> inside = [.. layers];
        int[] ordered = [.. layers.Order()];
        Activation[] outputs = [.. ordered.SelectMany(layer => graph.Layers[layer].Outputs).Distinct().Select(index => graph.Activations[index])
            .Where(activation => activation.IsModelOutput || activation.Consumers.Any(consumer => !inside.Contains(consumer)))];
        Activation[] inputs = [.. ordered.SelectMany(layer => graph.Layers[layer].Inputs).Distinct().Select(index => graph.Activations[index])
            .Where(activation => !inside.Contains(activation.Producer))];
        return new ModelPartition
        {
            Skeleton = MemoryMarshal.AsBytes(ordered.AsSpan()).ToArray(),
            Blobs = [.. ordered.SelectMany(layer => graph.Layers[layer].Weights).Distinct()
                .Select(weight => new BlobReference(ContentHash.Of(Encoding.UTF8.GetBytes($"{graph.Name}/{weight}")), graph.Weights[weight].ByteCount))],
            Inputs = [.. inputs.Select(Placeholder)],
            Outputs = [.. outputs.Select(Placeholder)],
        };
    }

    /// <summary>What running a partition of this model costs on a device.</summary>
    public SimulatedStage StageOf(ModelPartition partition, Device device)
    {
        ReadOnlySpan<int> layers = MemoryMarshal.Cast<byte, int>(partition.Skeleton.Span);
        double[] seconds = _layerSeconds.GetOrAdd(device with { CurrentLoad = 0 }, idle => LayerEstimates.Of(graph, idle, costModel));
        double sum = 0;
        foreach (int layer in layers)
            sum += seconds[layer];
        return new SimulatedStage(sum, BytesOf(partition.Inputs), BytesOf(partition.Outputs), [.. partition.Outputs.Select(static output => output.Name)]);
    }

    public ValueTask<Stream> OpenBlobAsync(ContentHash hash, CancellationToken cancellationToken) =>
        throw new EdgeSplitException(EdgeSplitError.NotFound, "Simulated weights have a size and no content.");

    public void Dispose()
    {
    }

    private long BytesOf(ImmutableArray<TensorInfo> values)
    {
        HashSet<string> names = [.. values.Select(static value => value.Name)];
        return graph.Activations.Where(activation => names.Contains(activation.Info.Name)).Sum(static activation => activation.ByteCount);
    }

    private static TensorInfo Placeholder(Activation activation) => new(activation.Info.Name, TensorElementType.UInt8, [new Dimension(1)]);
}

/// <summary>A loaded partition: seconds on the otherwise idle device, and the bytes that it takes and gives.</summary>
internal sealed record SimulatedStage(double Seconds, long InputBytes, long OutputBytes, ImmutableArray<string> Outputs);
