namespace EdgeSplit.Onnx.Splitting;

/// <summary>How far two names are from each other, to suggest what a misspelt one may mean.</summary>
internal static class EditDistance
{
    /// <summary>The number of characters to insert, delete or replace (Levenshtein 1966), case ignored.</summary>
    public static int Between(string first, string second)
    {
        var previous = new int[second.Length + 1];
        var current = new int[second.Length + 1];
        for (int j = 0; j <= second.Length; j++)
            previous[j] = j;
        for (int i = 1; i <= first.Length; i++)
        {
            current[0] = i;
            for (int j = 1; j <= second.Length; j++)
            {
                int replace = char.ToUpperInvariant(first[i - 1]) == char.ToUpperInvariant(second[j - 1]) ? 0 : 1;
                current[j] = Math.Min(Math.Min(current[j - 1], previous[j]) + 1, previous[j - 1] + replace);
            }
            (previous, current) = (current, previous);
        }
        return previous[second.Length];
    }
}
