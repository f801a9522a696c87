using System.Collections.Immutable;
using EdgeSplit.Onnx.Graphs;

namespace EdgeSplit.Onnx.Layers;

/// <summary>What a layer is made of in the model.</summary>
/// <param name="Nodes">The nodes that only this layer runs, in topological order; none where the layer only returns constants.</param>
/// <param name="Inputs">The values that the layer reads from other layers or from the model's inputs.</param>
/// <param name="Outputs">The values that the layer makes for other layers or as the model's outputs.</param>
internal sealed record LayerNodes(ImmutableArray<GraphNode> Nodes, ImmutableArray<string> Inputs, ImmutableArray<string> Outputs);
