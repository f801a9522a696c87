using System.Collections.Immutable;

namespace EdgeSplit.Tensors;

/// <summary>What a model says of one of its inputs or outputs.</summary>
/// <param name="Name">The tensor's name in the model.</param>
/// <param name="ElementType">The element type; <see cref="TensorElementType.Undefined"/> where the value is no tensor (a sequence, say).</param>
/// <param name="Dimensions">The dimensions, null for one that is only known at run time; default where even the rank is unknown.</param>
public sealed record TensorInfo(string Name, TensorElementType ElementType, ImmutableArray<Dimension> Dimensions)
{
    /// <summary>Type and shape, as <c>Float [batch, 3, 224, 224]</c>.</summary>
    public override string ToString() => Dimensions.IsDefault ? $"{ElementType} [...]" : $"{ElementType} [{string.Join(", ", Dimensions)}]";
}

/// <summary>One dimension: a size, a name for an unknown size, or neither.</summary>
/// <param name="Size">The size, or null where it is only known at run time.</param>
/// <param name="Symbol">The model's name for the unknown size, or null.</param>
public readonly record struct Dimension(long? Size, string? Symbol = null)
{
    /// <summary>The size, the symbol, or <c>?</c>.</summary>
    public override string ToString() => Size?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? Symbol ?? "?";
}
