using System.Collections.Immutable;
using EdgeSplit.Models;
using EdgeSplit.Tensors;

namespace EdgeSplit.Testing.Planning;

/// <summary>Builds model graphs for planning tests: layers that each make one value, with costs and sizes but no operators.</summary>
public sealed class PlanningGraph
{
    private readonly List<List<int>> _inputs = [];
    private readonly List<double> _operations = [];
    private readonly List<int[]> _weights = [];
    private readonly List<(int Producer, long Bytes, bool IsOutput, bool CanTravel, double CutPenalty)> _values = [];
    private readonly List<long> _weightBytes = [];

    /// <summary>Adds an input of the model and returns its value.</summary>
    public int Input(long bytes, bool canTravel = true)
    {
        _values.Add((Activation.ModelInput, bytes, false, canTravel, 0));
        return _values.Count - 1;
    }

    /// <summary>Adds a weight that several layers may share and returns its index.</summary>
    public int Weight(long bytes)
    {
        _weightBytes.Add(bytes);
        return _weightBytes.Count - 1;
    }

    /// <summary>Adds a layer and returns the value that it makes.</summary>
    public int Layer(double operations, ReadOnlySpan<int> inputs, long outputBytes, ReadOnlySpan<int> weights = default, bool isOutput = false, bool canTravel = true, double cutPenalty = 0)
    {
        _inputs.Add([.. inputs]);
        _operations.Add(operations);
        _weights.Add([.. weights]);
        _values.Add((_operations.Count - 1, outputBytes, isOutput, canTravel, cutPenalty));
        return _values.Count - 1;
    }

    /// <summary>The graph; layers and values are numbered as they were added.</summary>
    public ModelGraph Build(string name = "test")
    {
        int layerCount = _operations.Count;
        ILookup<int, int> outputs = Enumerable.Range(0, _values.Count).ToLookup(value => _values[value].Producer);
        ILookup<int, int> consumers = Enumerable.Range(0, layerCount).SelectMany(layer => _inputs[layer].Distinct().Select(value => (value, layer)))
            .ToLookup(static pair => pair.value, static pair => pair.layer);
        return new ModelGraph(
            name,
            [.. Enumerable.Range(0, layerCount).Select(layer => new Layer
            {
                Index = layer,
                Name = $"layer{layer}",
                Kind = "Test",
                FloatOperations = _operations[layer],
                Weights = [.. _weights[layer]],
                Inputs = [.. _inputs[layer].Distinct().Order()],
                Outputs = [.. outputs[layer]],
            })],
            [.. _values.Select((value, index) => new Activation
            {
                Index = index,
                Info = new TensorInfo($"value{index}", TensorElementType.Float, [new Dimension(value.Bytes / 4)]),
                Producer = value.Producer,
                Consumers = [.. consumers[index]],
                IsModelOutput = value.IsOutput,
                ByteCount = value.Bytes,
                CanTravel = value.CanTravel,
                CutPenalty = value.CutPenalty,
            })],
            [.. _weightBytes.Select((bytes, index) => new Weight(index, $"weight{index}", bytes))]);
    }

    /// <summary>A chain of equal layers: each takes a second on a device of one operation per second and passes on <paramref name="bytes"/>.</summary>
    public static ModelGraph Chain(int layers, long bytes = 1, ImmutableArray<double> operations = default, long weightBytes = 0)
    {
        var graph = new PlanningGraph();
        int value = graph.Input(bytes);
        for (int i = 0; i < layers; i++)
            value = graph.Layer(operations.IsDefault ? 1 : operations[i], [value], bytes, weightBytes > 0 ? [graph.Weight(weightBytes)] : [], isOutput: i == layers - 1);
        return graph.Build("chain");
    }

    /// <summary>A random DAG: layers read one to three earlier values; some weights are shared.</summary>
    public static ModelGraph Random(Random random, int layers, int inputs = 1, bool withPenalties = false)
    {
        var graph = new PlanningGraph();
        var values = new List<int>();
        for (int i = 0; i < inputs; i++)
            values.Add(graph.Input(random.Next(1, 20)));
        int shared = graph.Weight(random.Next(1, 50));
        for (int i = 0; i < layers; i++)
        {
            int reads = Math.Min(values.Count, random.Next(1, 4));
            // Mostly recent values, as in real models, with a few long skips.
            int[] read = [.. Enumerable.Range(0, reads).Select(_ => values[random.Next(4) == 0 ? random.Next(values.Count) : Math.Max(0, values.Count - 1 - random.Next(3))]).Distinct()];
            int[] weights = random.Next(4) == 0 ? [shared, graph.Weight(random.Next(1, 30))] : [graph.Weight(random.Next(1, 30))];
            values.Add(graph.Layer(random.Next(1, 100), read, random.Next(1, 20), weights, isOutput: i == layers - 1 || random.Next(8) == 0,
                cutPenalty: withPenalties && random.Next(3) == 0 ? 0.2 : 0));
        }
        return graph.Build("random");
    }
}
