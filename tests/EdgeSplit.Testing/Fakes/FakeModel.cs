using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text.Json;
using EdgeSplit.Models;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;

namespace EdgeSplit.Testing.Fakes;

/// <summary>A small model in memory, whose layers really compute, so that wrong wiring shows in the results.</summary>
public sealed class FakeModel : IBlobSource
{
    private readonly FakeModelFile _file;
    private readonly Dictionary<ContentHash, byte[]> _weights = [];

    internal FakeModel(FakeModelFile file)
    {
        _file = file;
        foreach (float[] weight in file.Weights)
        {
            byte[] bytes = MemoryMarshal.AsBytes<float>(weight).ToArray();
            _weights[ContentHash.Of(bytes)] = bytes;
        }
        Graph = BuildGraph(file);
        Inputs = [.. file.Inputs.Select(input => Info(input.Name))];
        Outputs = [.. file.Outputs.Select(Info)];
    }

    /// <summary>The model as layers and activations; the positions of the layers are those of the operators.</summary>
    public ModelGraph Graph { get; }

    /// <summary>The model's inputs.</summary>
    public ImmutableArray<TensorInfo> Inputs { get; }

    /// <summary>The model's outputs.</summary>
    public ImmutableArray<TensorInfo> Outputs { get; }

    /// <summary>The weights by hash, to damage or to remove them.</summary>
    public IDictionary<ContentHash, byte[]> Weights => _weights;

    /// <summary>All layers as one partition.</summary>
    public ModelPartition Whole => Extract([.. Enumerable.Range(0, _file.Nodes.Length)]);

    /// <summary>Takes the part that runs some layers.</summary>
    public ModelPartition Extract(IReadOnlyCollection<int> layers)
    {
        if (layers.Count == 0)
            throw new EdgeSplitException(EdgeSplitError.IllegalCut, "A partition has at least one layer.");
        int[] ordered = [.. layers.Order()];
        ImmutableArray<FakeNode> nodes = [.. ordered.Select(layer => _file.Nodes[layer])];
        Activation[] outputs = [.. ordered.SelectMany(layer => Graph.Layers[layer].Outputs).Select(index => Graph.Activations[index])
            .Where(activation => activation.IsModelOutput || activation.Consumers.Any(consumer => !ordered.Contains(consumer)))];
        return new ModelPartition
        {
            Skeleton = new FakeSkeleton(nodes, [.. outputs.Select(static activation => activation.Info.Name)]).Write(),
            Blobs = [.. nodes.Where(static node => node.Weight is not null).DistinctBy(static node => node.Weight)
                .Select(static node => new BlobReference(Hash(node), node.WeightByteCount))],
            Inputs = [.. ordered.SelectMany(layer => Graph.Layers[layer].Inputs).Distinct().Select(index => Graph.Activations[index])
                .Where(activation => !ordered.Contains(activation.Producer)).Select(static activation => activation.Info)],
            Outputs = [.. outputs.Select(static activation => activation.Info)],
        };
    }

    /// <inheritdoc/>
    public ValueTask<Stream> OpenBlobAsync(ContentHash hash, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return _weights.TryGetValue(hash, out byte[]? bytes)
            ? new ValueTask<Stream>(new MemoryStream(bytes, writable: false))
            : throw new EdgeSplitException(EdgeSplitError.NotFound, $"Model '{Graph.Name}' has no blob {hash}.");
    }

    /// <summary>The outputs of the unsplit model: what every split must give, bit for bit.</summary>
    public IReadOnlyDictionary<string, Tensor> Run(IReadOnlyDictionary<string, Tensor> inputs)
    {
        var values = new Dictionary<string, Tensor>(inputs);
        foreach (FakeNode node in _file.Nodes)
        {
            ReadOnlySpan<byte> weight = node.Weight is null ? default : _weights[Hash(node)];
            FakeMath.Run(node, values, MemoryMarshal.Cast<byte, float>(weight), FakeMath.Allocate);
        }
        return _file.Outputs.ToDictionary(static name => name, name => values[name].Clone());
    }

    /// <summary>Random inputs of the model, dynamic dimensions being 2.</summary>
    public IReadOnlyDictionary<string, Tensor> RandomInputs(int seed)
    {
        var random = new Random(seed);
        return Inputs.ToDictionary(static input => input.Name, input =>
        {
            TensorShape shape = new([.. input.Dimensions.Select(static dimension => dimension.Size ?? 2)]);
            if (input.ElementType == TensorElementType.String)
                return Tensor.FromStrings(Enumerable.Range(0, (int)shape.ElementCount).Select(_ => random.Next().ToString("x")), shape);
            Tensor tensor = Tensor.Allocate(input.ElementType, shape, out Memory<byte> bytes);
            if (input.ElementType == TensorElementType.Float)
            {
                foreach (ref float element in MemoryMarshal.Cast<byte, float>(bytes.Span))
                    element = random.NextSingle() * 2 - 1;
            }
            else
            {
                random.NextBytes(bytes.Span);
            }
            return tensor;
        });
    }

    /// <summary>Writes the model to a file that <see cref="FakeModelFormat"/> opens.</summary>
    public void Save(string path) => File.WriteAllBytes(path, JsonSerializer.SerializeToUtf8Bytes(_file));

    internal static ContentHash Hash(FakeNode node) =>
        ContentHash.TryParse(node.Weight, out ContentHash hash) ? hash : throw new EdgeSplitException(EdgeSplitError.InvalidModel, $"Node '{node.Name}' names no weight.");

    private TensorInfo Info(string name) => Graph.Activations.First(activation => activation.Info.Name == name).Info;

    private static ModelGraph BuildGraph(FakeModelFile file)
    {
        var infos = new Dictionary<string, TensorInfo>();
        var names = new List<string>();
        var producers = new Dictionary<string, int>();
        foreach (FakeValue input in file.Inputs)
        {
            infos[input.Name] = new TensorInfo(input.Name, input.ElementType, [.. input.Dimensions.Select(static size => size < 0 ? new Dimension(null, "n") : new Dimension(size))]);
            names.Add(input.Name);
        }
        for (int i = 0; i < file.Nodes.Length; i++)
        {
            TensorInfo first = infos[file.Nodes[i].Inputs[0]];
            foreach (string output in file.Nodes[i].Outputs)
            {
                infos[output] = first with { Name = output };
                producers[output] = i;
                names.Add(output);
            }
        }
        ImmutableArray<Activation> activations = [.. names.Select((string name, int index) => new Activation
        {
            Index = index,
            Info = infos[name],
            Producer = producers.GetValueOrDefault(name, Activation.ModelInput),
            Consumers = [.. Enumerable.Range(0, file.Nodes.Length).Where(node => file.Nodes[node].Inputs.Contains(name))],
            IsModelOutput = file.Outputs.Contains(name),
            ByteCount = infos[name].ElementType.ByteCount(infos[name].Dimensions.Aggregate(1L, static (count, dimension) => count * (dimension.Size ?? 2))),
        })];
        var weightIndexes = new Dictionary<string, int>();
        var weights = ImmutableArray.CreateBuilder<Weight>();
        foreach (FakeNode node in file.Nodes)
        {
            if (node.Weight is not null && weightIndexes.TryAdd(node.Weight, weights.Count))
                weights.Add(new Weight(weights.Count, $"{node.Name}.weight", node.WeightByteCount));
        }
        ImmutableArray<Layer> layers = [.. file.Nodes.Select((FakeNode node, int index) => new Layer
        {
            Index = index,
            Name = node.Name,
            Kind = node.Operation,
            FloatOperations = 1e6,
            ActivationTrafficBytes = node.Inputs.Concat(node.Outputs).Sum(name => activations[names.IndexOf(name)].ByteCount),
            Weights = node.Weight is null ? [] : [weightIndexes[node.Weight]],
            Inputs = [.. node.Inputs.Distinct().Select(name => names.IndexOf(name))],
            Outputs = [.. node.Outputs.Select(name => names.IndexOf(name))],
        })];
        return new ModelGraph(file.Name, layers, activations, weights.ToImmutable());
    }
}
