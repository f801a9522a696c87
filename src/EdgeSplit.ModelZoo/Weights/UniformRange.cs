namespace EdgeSplit.ModelZoo.Weights;

/// <summary>The values of a seeded weight: evenly spread from <paramref name="Low"/> up to, not including, <paramref name="High"/>.</summary>
/// <remarks>
/// Uniform rather than normal numbers, because these come from integer and exactly rounded operations alone and so are
/// the same on every platform; for keeping activations in range only the variance matters.
/// </remarks>
internal readonly record struct UniformRange(float Low, float High)
{
    /// <summary>Keeps the variance of activations through a layer that follows a rectifier (He et al. 2015, section 2.2).</summary>
    public static UniformRange He(long fanIn) => Symmetric(Math.Sqrt(6.0 / fanIn));

    /// <summary>Keeps the variance through a linear layer, forward and backward (Glorot and Bengio 2010, section 4.2.1).</summary>
    public static UniformRange Xavier(long fanIn, long fanOut) => Symmetric(Math.Sqrt(6.0 / (fanIn + fanOut)));

    /// <summary>The usual range of a bias: within the inverse root of the number of inputs.</summary>
    public static UniformRange Bias(long fanIn) => Symmetric(1 / Math.Sqrt(fanIn));

    /// <summary>Values within <paramref name="bound"/> of zero.</summary>
    public static UniformRange Symmetric(double bound) => new(-(float)bound, (float)bound);

    /// <summary>Values within <paramref name="spread"/> of <paramref name="centre"/>.</summary>
    public static UniformRange Around(float centre, float spread) => new(centre - spread, centre + spread);
}
