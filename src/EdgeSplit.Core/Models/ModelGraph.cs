using System.Collections.Immutable;

namespace EdgeSplit.Models;

/// <summary>
/// A model as a directed acyclic graph of layers and activations: what planning works on, whatever the model's format.
/// Immutable and thread-safe.
/// </summary>
public sealed class ModelGraph
{
    /// <summary>Creates a graph and checks that it is one.</summary>
    /// <exception cref="ArgumentException">An index is out of range, the layers are not in topological order, or producer and consumer lists disagree.</exception>
    public ModelGraph(string name, ImmutableArray<Layer> layers, ImmutableArray<Activation> activations, ImmutableArray<Weight> weights)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        Name = name;
        Layers = layers;
        Activations = activations;
        Weights = weights;
        Check();
        Inputs = [.. activations.Where(static activation => activation.Producer == Activation.ModelInput).Select(static activation => activation.Index)];
        Outputs = [.. activations.Where(static activation => activation.IsModelOutput).Select(static activation => activation.Index)];
    }

    /// <summary>The model's name.</summary>
    public string Name { get; }

    /// <summary>The layers in a topological order.</summary>
    public ImmutableArray<Layer> Layers { get; }

    /// <summary>The values between layers, and the model's inputs and outputs.</summary>
    public ImmutableArray<Activation> Activations { get; }

    /// <summary>The constants.</summary>
    public ImmutableArray<Weight> Weights { get; }

    /// <summary>Indexes of the activations that the model is given.</summary>
    public ImmutableArray<int> Inputs { get; }

    /// <summary>Indexes of the activations that the model returns.</summary>
    public ImmutableArray<int> Outputs { get; }

    /// <summary>The bytes of all weights, each counted once.</summary>
    public long WeightBytes => Weights.Sum(static weight => weight.ByteCount);

    /// <summary>The floating-point operations of one run.</summary>
    public double FloatOperations => Layers.Sum(static layer => layer.FloatOperations);

    private void Check()
    {
        for (int i = 0; i < Activations.Length; i++)
        {
            Activation activation = Activations[i];
            Require(activation.Index == i, $"activation {i} says it is number {activation.Index}");
            Require(activation.Producer >= Activation.ModelInput && activation.Producer < Layers.Length, $"activation '{activation.Info.Name}' has no such producer");
            if (activation.Producer >= 0)
                Require(Layers[activation.Producer].Outputs.Contains(i), $"layer '{Layers[activation.Producer].Name}' does not list its output '{activation.Info.Name}'");
            foreach (int consumer in activation.Consumers)
            {
                Require(consumer > activation.Producer && consumer < Layers.Length, $"'{activation.Info.Name}' is read before it is made");
                Require(Layers[consumer].Inputs.Contains(i), $"layer '{Layers[consumer].Name}' does not list its input '{activation.Info.Name}'");
            }
        }
        for (int i = 0; i < Layers.Length; i++)
        {
            Layer layer = Layers[i];
            Require(layer.Index == i, $"layer {i} says it is number {layer.Index}");
            foreach (int input in layer.Inputs)
                Require((uint)input < (uint)Activations.Length && Activations[input].Consumers.Contains(i), $"layer '{layer.Name}' reads something that does not know it");
            foreach (int output in layer.Outputs)
                Require((uint)output < (uint)Activations.Length && Activations[output].Producer == i, $"layer '{layer.Name}' makes something that does not know it");
            foreach (int weight in layer.Weights)
                Require((uint)weight < (uint)Weights.Length, $"layer '{layer.Name}' reads a weight that is not there");
        }
    }

    private void Require(bool condition, string what)
    {
        if (!condition)
            throw new ArgumentException($"The graph of '{Name}' is inconsistent: {what}.");
    }
}
