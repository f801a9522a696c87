namespace ImageClassification;

/// <summary>Makes shares that sum to 1 of a classifier's outputs.</summary>
internal static class Softmax
{
    /// <summary>The largest shares, largest first, with their classes.</summary>
    public static IReadOnlyList<(int Index, double Share)> Top(ReadOnlySpan<float> logits, int count)
    {
        double[] values = new double[logits.Length];
        double largest = double.NegativeInfinity;
        foreach (float logit in logits)
            largest = Math.Max(largest, logit);
        double sum = 0;
        // Less the largest, so that nothing overflows.
        for (int i = 0; i < values.Length; i++)
            sum += values[i] = Math.Exp(logits[i] - largest);
        return [.. values.Select((value, index) => (index, value / sum)).OrderByDescending(static pair => pair.Item2).Take(count)];
    }
}
