namespace EdgeSplit.Simulation.Internal;

/// <summary>
/// Random deviations of one host, from a seed of its own: which thread asks first, and what other hosts do, changes nothing of
/// what it draws.
/// </summary>
internal sealed class NoiseSource(int seed, string name)
{
    private readonly Lock _lock = new();
    private readonly Random _random = new(HashCodeOf(name, seed));

    /// <summary>The largest deviation, as a share: 0.2 for ±20%.</summary>
    public double Level { get; set; }

    /// <summary>A factor around 1, evenly spread.</summary>
    public double NextFactor()
    {
        if (Level == 0)
            return 1;
        lock (_lock)
            return 1 + (Level * ((2 * _random.NextDouble()) - 1));
    }

    // String.GetHashCode differs from process to process.
    private static int HashCodeOf(string name, int seed)
    {
        uint hash = 2166136261u ^ (uint)seed;
        foreach (char letter in name)
            hash = (hash ^ letter) * 16777619u;
        return (int)(hash & int.MaxValue);
    }
}
