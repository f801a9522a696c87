using System.Collections.Immutable;

namespace EdgeSplit.ModelZoo.Weights;

/// <summary>A float32 weight as a description: its values are made from the seed when the model is written.</summary>
/// <param name="Name">The initializer's name, unique in its graph.</param>
/// <param name="Dimensions">The sizes, outermost first.</param>
/// <param name="Values">How the values are spread.</param>
/// <param name="IsTrained">
/// Whether the published parameter counts include it: true for all but the running statistics of batch normalisation.
/// </param>
internal sealed record WeightSpec(string Name, ImmutableArray<long> Dimensions, UniformRange Values, bool IsTrained)
{
    /// <summary>The number of values.</summary>
    public long ElementCount { get; } = Dimensions.Aggregate(1L, static (product, size) => checked(product * size));

    /// <summary>The size in bytes.</summary>
    public long ByteCount => checked(ElementCount * sizeof(float));
}
