using System.Collections.Immutable;

namespace EdgeSplit.Tensors;

/// <summary>The dimensions of a tensor, outermost first. A scalar has none.</summary>
public readonly struct TensorShape : IEquatable<TensorShape>
{
    private readonly ImmutableArray<long> _dimensions;

    /// <summary>Creates a shape from its dimensions.</summary>
    /// <exception cref="ArgumentException">A dimension is negative or the number of elements overflows.</exception>
    public TensorShape(params ReadOnlySpan<long> dimensions)
    {
        long count = 1;
        foreach (long dimension in dimensions)
        {
            if (dimension < 0)
                throw new ArgumentException($"A tensor dimension is {dimension}; dimensions are 0 or more.", nameof(dimensions));
            if (dimension != 0 && count > long.MaxValue / dimension)
                throw new ArgumentException("The number of elements of the shape overflows a 64-bit integer.", nameof(dimensions));
            count *= dimension;
        }
        _dimensions = [.. dimensions];
        ElementCount = count;
    }

    /// <summary>The dimensions, outermost first.</summary>
    public ImmutableArray<long> Dimensions => _dimensions.IsDefault ? [] : _dimensions;

    /// <summary>The number of dimensions.</summary>
    public int Rank => Dimensions.Length;

    /// <summary>The product of the dimensions; 1 for a scalar.</summary>
    public long ElementCount => _dimensions.IsDefault ? 1 : field;

    /// <inheritdoc/>
    public bool Equals(TensorShape other) => Dimensions.AsSpan().SequenceEqual(other.Dimensions.AsSpan());

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is TensorShape other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (long dimension in Dimensions)
            hash.Add(dimension);
        return hash.ToHashCode();
    }

    /// <summary>The shape as <c>[1, 3, 224, 224]</c>.</summary>
    public override string ToString() => $"[{string.Join(", ", Dimensions)}]";

    /// <summary>Whether both shapes have the same dimensions.</summary>
    public static bool operator ==(TensorShape left, TensorShape right) => left.Equals(right);

    /// <summary>Whether the shapes differ in a dimension.</summary>
    public static bool operator !=(TensorShape left, TensorShape right) => !left.Equals(right);
}
