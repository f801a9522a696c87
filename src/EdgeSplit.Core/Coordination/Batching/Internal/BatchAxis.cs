using System.Collections.Immutable;
using EdgeSplit.Tensors;

namespace EdgeSplit.Coordination.Batching.Internal;

/// <summary>Which models and requests have a batch dimension: the first of every input and output, open, and of one name.</summary>
internal static class BatchAxis
{
    /// <summary>Why a model's requests cannot be joined; null where nothing that it says of its shapes stands against it.</summary>
    public static string? WhyNot(ImmutableArray<TensorInfo> inputs, ImmutableArray<TensorInfo> outputs)
    {
        if (inputs.IsEmpty)
            return "it has no inputs";
        string? symbol = null;
        foreach (TensorInfo info in inputs.Concat(outputs))
        {
            if (info.Dimensions.IsDefaultOrEmpty || info.Dimensions[0] is not { Size: null, Symbol: { } first })
                return $"'{info.Name}' ({info}) does not begin with a named dimension of open size";
            symbol ??= first;
            if (first != symbol)
                return $"'{info.Name}' ({info}) begins with another dimension than '{symbol}'";
            if (info.Dimensions.Skip(1).Any(dimension => dimension.Symbol == symbol))
                return $"'{info.Name}' ({info}) has '{symbol}' elsewhere too";
            if (info.ElementType.BitsPerElement() is > 0 and < 8)
                return $"'{info.Name}' ({info}) has elements below a byte";
        }
        return null;
    }

    /// <summary>Reads a request's shape.</summary>
    /// <param name="infos">The model's inputs.</param>
    /// <param name="inputs">The request's, checked.</param>
    /// <param name="rows">Its rows.</param>
    /// <returns>What requests that can be joined with it have in common; null where its inputs have different rows, or none.</returns>
    public static BatchShape? ShapeOf(ImmutableArray<TensorInfo> infos, IReadOnlyDictionary<string, Tensor> inputs, out int rows)
    {
        var sizes = new List<long>();
        long found = 0;
        foreach (TensorInfo info in infos)
        {
            ImmutableArray<long> dimensions = inputs[info.Name].Shape.Dimensions;
            if (found == 0)
                found = dimensions[0];
            if (found != dimensions[0])
                break;
            sizes.Add(dimensions.Length);
            sizes.AddRange(dimensions.AsSpan()[1..]);
        }
        rows = (int)Math.Min(found, int.MaxValue);
        return found > 0 && infos.All(info => inputs[info.Name].Shape.Dimensions[0] == found) ? new BatchShape([.. sizes]) : null;
    }
}
