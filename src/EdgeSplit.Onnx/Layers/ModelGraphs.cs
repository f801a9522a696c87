using System.Collections.Immutable;
using EdgeSplit.Models;
using EdgeSplit.Onnx.Analysis;
using EdgeSplit.Onnx.Graphs;

namespace EdgeSplit.Onnx.Layers;

/// <summary>Makes the planner's view of a model from its layers.</summary>
internal static class ModelGraphs
{
    public static ModelGraph Create(string name, OnnxGraph graph, ValueTypes types, HalfPrecision halfPrecision, ImmutableArray<LayerNodes> layers, string modelPath)
    {
        var indexes = new Dictionary<string, int>(StringComparer.Ordinal);
        var producers = new List<int>();
        foreach (string input in graph.RequiredInputs)
            AddActivation(input, Activation.ModelInput);
        for (int i = 0; i < layers.Length; i++)
        {
            foreach (string output in layers[i].Outputs)
                AddActivation(output, i);
        }

        var consumers = new List<int>[producers.Count];
        for (int i = 0; i < consumers.Length; i++)
            consumers[i] = [];
        var weights = new ModelWeights(graph, modelPath);
        var names = new LayerNames();
        ImmutableArray<Layer>.Builder graphLayers = ImmutableArray.CreateBuilder<Layer>(layers.Length);
        for (int i = 0; i < layers.Length; i++)
        {
            LayerNodes nodes = layers[i];
            ImmutableArray<int> inputs = [.. nodes.Inputs.Select(input => indexes[input]).Order()];
            foreach (int input in inputs)
                consumers[input].Add(i);
            List<NodeCost> costs = [.. nodes.Nodes.Select(node => NodeCosts.Estimate(node.Proto, types.SizedOf, graph.IsConstant))];
            graphLayers.Add(new Layer
            {
                Index = i,
                Name = names.Next(nodes),
                Kind = LayerNames.KindOf(nodes),
                Inputs = inputs,
                Outputs = [.. nodes.Outputs.Select(output => indexes[output])],
                Weights = weights.ReadBy(nodes.Nodes, nodes.Outputs),
                FloatOperations = costs.Sum(static cost => cost.FloatOperations),
                ActivationTrafficBytes = costs.Sum(static cost => cost.TrafficBytes),
            });
        }

        var outputs = graph.Outputs.ToHashSet(StringComparer.Ordinal);
        ImmutableArray<Layer> allLayers = graphLayers.MoveToImmutable();
        ImmutableArray<Activation> activations = [.. indexes.Select(pair => new Activation
        {
            Index = pair.Value,
            Info = halfPrecision.AtCut(pair.Key),
            Producer = producers[pair.Value],
            Consumers = [.. consumers[pair.Value]],
            IsModelOutput = outputs.Contains(pair.Key),
            ByteCount = types.ByteCount(pair.Key) * (halfPrecision.IsWidened(pair.Key) ? 2 : 1),
            // What the caller gives, whatever it is, does not pass between devices.
            CanTravel = producers[pair.Value] == Activation.ModelInput || types.CanTravel(pair.Key),
            CutPenalty = CutPenalties.Estimate(layers, allLayers, producers[pair.Value], consumers[pair.Value], types.ByteCount(pair.Key)),
        }).OrderBy(static activation => activation.Index)];
        return new ModelGraph(name, allLayers, activations, weights.All);

        void AddActivation(string value, int producer)
        {
            indexes.Add(value, producers.Count);
            producers.Add(producer);
        }
    }
}
