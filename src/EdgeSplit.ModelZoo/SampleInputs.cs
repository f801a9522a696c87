using EdgeSplit.ModelZoo.Graphs;
using EdgeSplit.ModelZoo.Weights;
using EdgeSplit.Tensors;

namespace EdgeSplit.ModelZoo;

/// <summary>Random inputs that a model accepts.</summary>
internal static class SampleInputs
{
    /// <summary>Makes one input: floats from -1 to 1, or whole numbers from the input's range.</summary>
    public static Tensor Create(TensorInfo input, IdRange ids, IReadOnlyDictionary<string, long> dimensions, int seed)
    {
        long[] sizes = [.. input.Dimensions.Select(dimension => dimension.Size ?? SizeOf(dimension.Symbol!))];
        bool isFloat = input.ElementType == TensorElementType.Float;
        var spec = new WeightSpec(input.Name, [.. sizes], isFloat ? UniformRange.Symmetric(1) : new UniformRange(0, 1), false);
        float[] values = new float[spec.ElementCount];
        new SeededWeights(seed, spec).Fill(values, 0);
        var shape = new TensorShape(sizes);
        return isFloat
            ? Tensor.Create<float>(values, shape)
            : Tensor.Create<long>(Array.ConvertAll(values, value => ids.First + (long)(value * (ids.End - ids.First))), shape);

        long SizeOf(string symbol) => dimensions.TryGetValue(symbol, out long size) ? size
            : throw new EdgeSplitException(EdgeSplitError.InvalidArgument,
                $"The input '{input.Name}' is {input}; no size was given for '{symbol}'.");
    }
}
