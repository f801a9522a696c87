using System.Collections.Immutable;
using EdgeSplit.Tensors;

namespace EdgeSplit.Onnx.Verification;

/// <summary>How the outputs of a split model differ from those of the unsplit one.</summary>
/// <param name="Outputs">One entry for each output of the model.</param>
public sealed record SplitComparison(ImmutableArray<OutputDifference> Outputs)
{
    /// <summary>Compares what a split model gave with what the unsplit one gave.</summary>
    /// <param name="expected">The unsplit model's outputs by name.</param>
    /// <param name="actual">The split model's outputs by name, at least the same.</param>
    public static SplitComparison Of(IReadOnlyDictionary<string, Tensor> expected, IReadOnlyDictionary<string, Tensor> actual)
    {
        ArgumentNullException.ThrowIfNull(expected);
        ArgumentNullException.ThrowIfNull(actual);
        return new SplitComparison([.. expected.Select(pair => ValueComparison.Compare(pair.Key, pair.Value, actual[pair.Key]))]);
    }

    /// <summary>Whether all outputs are the same in every bit.</summary>
    public bool IsBitExact => Outputs.All(static output => output.IsBitExact);

    /// <summary>The largest absolute difference of any output; 0 without outputs.</summary>
    public double LargestAbsolute => Outputs.Select(static output => output.LargestAbsolute).DefaultIfEmpty().Max();

    /// <summary>The largest relative difference of any output; 0 without outputs.</summary>
    public double LargestRelative => Outputs.Select(static output => output.LargestRelative).DefaultIfEmpty().Max();
}
