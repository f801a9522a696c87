using System.Collections.Immutable;
using EdgeSplit.Models;

namespace EdgeSplit.Partitioning.Internal;

/// <summary>A model graph as flat arrays, which searches walk millions of times.</summary>
internal sealed class CompiledGraph
{
    private readonly int[] _inputStarts;
    private readonly int[] _inputs;
    private readonly int[] _outputStarts;
    private readonly int[] _outputs;
    private readonly int[] _consumerStarts;
    private readonly int[] _consumers;

    public CompiledGraph(ModelGraph graph)
    {
        Graph = graph;
        LayerCount = graph.Layers.Length;
        ValueCount = graph.Activations.Length;
        (_inputStarts, _inputs) = Flatten(graph.Layers, static layer => layer.Inputs);
        (_outputStarts, _outputs) = Flatten(graph.Layers, static layer => layer.Outputs);
        (_consumerStarts, _consumers) = Flatten(graph.Activations, static activation => activation.Consumers);
        Producers = [.. graph.Activations.Select(static activation => activation.Producer)];
        IsOutput = [.. graph.Activations.Select(static activation => activation.IsModelOutput)];
        Bytes = [.. graph.Activations.Select(static activation => activation.ByteCount)];
        CutPenalties = [.. graph.Activations.Select(static activation => activation.CutPenalty)];
        Atoms = LayerAtoms.Of(graph);
    }

    public ModelGraph Graph { get; }

    public int LayerCount { get; }

    public int ValueCount { get; }

    /// <summary>The producer of each value, <see cref="Activation.ModelInput"/> for inputs.</summary>
    public int[] Producers { get; }

    public bool[] IsOutput { get; }

    public long[] Bytes { get; }

    public double[] CutPenalties { get; }

    public LayerAtoms Atoms { get; }

    public ReadOnlySpan<int> Inputs(int layer) => _inputs.AsSpan(_inputStarts[layer], _inputStarts[layer + 1] - _inputStarts[layer]);

    public ReadOnlySpan<int> Outputs(int layer) => _outputs.AsSpan(_outputStarts[layer], _outputStarts[layer + 1] - _outputStarts[layer]);

    public ReadOnlySpan<int> Consumers(int value) => _consumers.AsSpan(_consumerStarts[value], _consumerStarts[value + 1] - _consumerStarts[value]);

    /// <summary>The parts of all items in one array, each index once per item even where a model lists it twice.</summary>
    private static (int[] Starts, int[] Items) Flatten<T>(ImmutableArray<T> items, Func<T, ImmutableArray<int>> part)
    {
        var starts = new int[items.Length + 1];
        var flat = new List<int>();
        for (int i = 0; i < items.Length; i++)
        {
            foreach (int index in part(items[i]))
            {
                if (flat.IndexOf(index, starts[i]) < 0)
                    flat.Add(index);
            }
            starts[i + 1] = flat.Count;
        }
        return (starts, [.. flat]);
    }
}
