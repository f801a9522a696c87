using System.Collections.Immutable;

namespace EdgeSplit.Onnx.Verification;

/// <summary>How the outputs of a split model differ from those of the unsplit one.</summary>
/// <param name="Outputs">One entry for each output of the model.</param>
public sealed record SplitComparison(ImmutableArray<OutputDifference> Outputs)
{
    /// <summary>Whether all outputs are the same in every bit.</summary>
    public bool IsBitExact => Outputs.All(static output => output.IsBitExact);

    /// <summary>The largest absolute difference of any output; 0 without outputs.</summary>
    public double LargestAbsolute => Outputs.Select(static output => output.LargestAbsolute).DefaultIfEmpty().Max();

    /// <summary>The largest relative difference of any output; 0 without outputs.</summary>
    public double LargestRelative => Outputs.Select(static output => output.LargestRelative).DefaultIfEmpty().Max();
}
