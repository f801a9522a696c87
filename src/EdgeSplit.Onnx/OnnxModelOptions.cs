using System.Collections.Immutable;

namespace EdgeSplit.Onnx;

/// <summary>How a model is opened.</summary>
public sealed record OnnxModelOptions
{
    /// <summary>How operators are put together to layers.</summary>
    /// <value>The default is <see cref="LayerGrouping.Fused"/>.</value>
    public LayerGrouping Grouping { get; init; } = LayerGrouping.Fused;

    /// <summary>
    /// Sizes that stand for the model's symbolic dimensions, by symbol, when sizes of activations and costs of layers are
    /// estimated. They bind nothing: parts stay as dynamic as the model.
    /// </summary>
    /// <value>
    /// The default is empty. A dimension without an entry counts 1 if it is the first or its symbol says batch,
    /// 224 if it is the third or fourth of four and its symbol does not say that it is a sequence's, and 128 otherwise;
    /// one whose symbol is a sum, such as <c>past_sequence + 1</c>, counts the sum.
    /// </value>
    public IReadOnlyDictionary<string, long> FreeDimensions { get; init; } = ImmutableDictionary<string, long>.Empty;

    /// <summary>
    /// Whether ONNX Runtime is asked for the types and shapes of the values inside the model. Without it only values whose
    /// type the model declares can be cut at.
    /// </summary>
    /// <value>The default is true.</value>
    public bool InferShapes { get; init; } = true;
}
