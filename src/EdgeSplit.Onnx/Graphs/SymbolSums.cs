using System.Globalization;

namespace EdgeSplit.Onnx.Graphs;

/// <summary>Symbolic dimensions that are sums of others, as exporters of decoders write them: <c>past_sequence_length + 1</c>.</summary>
internal static class SymbolSums
{
    /// <summary>The size of a symbol, which for a sum is that of its terms: numbers, or symbols of their own.</summary>
    public static long Evaluate(string symbol, Func<string, long> sizeOfTerm) =>
        symbol.Split('+', StringSplitOptions.TrimEntries).Sum(term =>
            int.TryParse(term, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : sizeOfTerm(term));

    /// <summary>Whether a symbol is the length of a text, even on an axis that in images is a side.</summary>
    public static bool IsSequenceLength(string symbol) => symbol.Contains("seq", StringComparison.OrdinalIgnoreCase);
}
