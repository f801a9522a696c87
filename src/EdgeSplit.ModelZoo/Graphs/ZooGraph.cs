using System.Collections.Immutable;
using EdgeSplit.ModelZoo.Weights;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Tensors;

namespace EdgeSplit.ModelZoo.Graphs;

/// <summary>A model without the values of its weights: small, whatever the size of the model.</summary>
/// <param name="Skeleton">Nodes, inputs and outputs; no initializers.</param>
/// <param name="Weights">The initializers, in the order in which they were added.</param>
/// <param name="Inputs">The model's inputs.</param>
/// <param name="Outputs">The model's outputs.</param>
/// <param name="IdRanges">For each input of whole numbers, the values that the model accepts.</param>
internal sealed record ZooGraph(
    GraphProto Skeleton, ImmutableArray<WeightSpec> Weights, ImmutableArray<TensorInfo> Inputs, ImmutableArray<TensorInfo> Outputs,
    ImmutableDictionary<string, IdRange> IdRanges)
{
    /// <summary>The trained parameters, counted as the papers and model collections do.</summary>
    public long ParameterCount => Weights.Where(static weight => weight.IsTrained).Sum(static weight => weight.ElementCount);

    /// <summary>The bytes of all weights.</summary>
    public long WeightBytes => Weights.Sum(static weight => weight.ByteCount);
}
