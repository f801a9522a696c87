using System.Collections.Immutable;
using EdgeSplit.Onnx.Format;

namespace EdgeSplit.Onnx.Graphs;

/// <summary>A node of the main graph.</summary>
/// <param name="Index">The position in <see cref="OnnxGraph.Nodes"/>, a topological order.</param>
/// <param name="Proto">The node as the model has it.</param>
/// <param name="Inputs">The values that the node reads, each once: its inputs, and what its bodies capture.</param>
/// <param name="Outputs">The values that the node makes.</param>
internal sealed record GraphNode(int Index, NodeProto Proto, ImmutableArray<string> Inputs, ImmutableArray<string> Outputs)
{
    /// <summary>The operator's domain, with the default domain written as the empty string.</summary>
    public string Domain => OperatorDomains.Normalize(Proto.Domain);
}
