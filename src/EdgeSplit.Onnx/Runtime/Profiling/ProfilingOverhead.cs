namespace EdgeSplit.Onnx.Runtime.Profiling;

/// <summary>
/// Takes out of profiled times what profiling itself costs. That is about the same for each node, so it is taken off each
/// alike; scaling all times down instead blames models of many small nodes on those nodes (measured on an encoder of two layers:
/// the part with the embeddings was predicted 12% too long).
/// </summary>
internal static class ProfilingOverhead
{
    /// <summary>No node is taken below this share of its time: some of them are short because they do little.</summary>
    private const double LeastShare = 0.5;

    /// <summary>Times that add up to the time without profiling, as far as <see cref="LeastShare"/> allows.</summary>
    /// <param name="profiled">The nodes' times with profiling.</param>
    /// <param name="seconds">The time of all of them without it.</param>
    public static Dictionary<string, double> Remove(IReadOnlyDictionary<string, double> profiled, double seconds)
    {
        double low = 0, high = profiled.Values.DefaultIfEmpty().Max();
        // The sum falls as the overhead grows, so halving finds where it meets the time without profiling.
        for (int i = 0; i < 60; i++)
        {
            double overhead = (low + high) / 2;
            if (profiled.Values.Sum(time => Without(time, overhead)) > seconds)
                low = overhead;
            else
                high = overhead;
        }
        return profiled.ToDictionary(static pair => pair.Key, pair => Without(pair.Value, low));
    }

    private static double Without(double time, double overhead) => Math.Max(time - overhead, LeastShare * time);
}
