namespace EdgeSplit.ModelZoo.Weights;

/// <summary>
/// The values of one weight: element <c>i</c> depends only on the seed, the weight's name and <c>i</c>, so that any
/// stretch can be made by itself and adding a weight to a model changes no other.
/// </summary>
/// <remarks>SplitMix64 (Steele, Lea and Flood 2014, "Fast Splittable Pseudorandom Number Generators") read by its counter, two values to a number.</remarks>
internal readonly struct SeededWeights(int seed, WeightSpec weight)
{
    private const ulong Increment = 0x9E3779B97F4A7C15;
    private const float UnitPerStep = 1f / (1 << 24);

    private readonly ulong _start = Mix(NameHash(weight.Name) + ((ulong)(uint)seed * Increment));
    private readonly float _low = weight.Values.Low;
    private readonly float _scale = (weight.Values.High - weight.Values.Low) * UnitPerStep;

    /// <summary>Writes the values from element <paramref name="first"/> on, which must be an even one.</summary>
    public void Fill(Span<float> values, long first)
    {
        ulong counter = _start + ((ulong)first / 2 * Increment);
        for (int i = 0; i + 1 < values.Length; i += 2)
        {
            ulong bits = Mix(counter += Increment);
            values[i] = Scaled(bits >> 40);
            values[i + 1] = Scaled((bits >> 16) & 0xFFFFFF);
        }
        if ((values.Length & 1) != 0)
            values[^1] = Scaled(Mix(counter + Increment) >> 40);
    }

    private float Scaled(ulong step) => _low + ((int)step * _scale);

    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }

    /// <summary>FNV-1a over the characters; <see cref="string.GetHashCode()"/> differs between processes.</summary>
    private static ulong NameHash(string name)
    {
        ulong hash = 0xCBF29CE484222325;
        foreach (char character in name)
            hash = (hash ^ character) * 0x100000001B3;
        return hash;
    }
}
