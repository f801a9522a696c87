using EdgeSplit.ModelZoo.Weights;

namespace EdgeSplit.ModelZoo.Tests;

public sealed class SeededWeightsTests
{
    private static readonly WeightSpec Spec = new("layer1.0.conv1.weight", [64, 33, 3, 3], new UniformRange(-0.25f, 0.75f), true);

    [Test]
    public void Fill_wholeRange_hasTheStatedBoundsMeanAndVariance()
    {
        float[] values = Values(Spec, seed: 5);
        double mean = values.Average(static value => (double)value);
        double variance = values.Average(value => (value - mean) * (value - mean));
        Assert.That(values, Is.All.InRange(-0.25f, 0.75f));
        Assert.That(mean, Is.EqualTo(0.25).Within(0.01));
        Assert.That(variance, Is.EqualTo(1.0 / 12).Within(0.002));
        Assert.That(values.Distinct().Count(), Is.GreaterThan(values.Length * 0.99));
    }

    [Test]
    public void Fill_inPieces_givesTheSameValues([Values(2, 64, 1000)] int piece)
    {
        var weights = new SeededWeights(5, Spec);
        float[] pieces = new float[Spec.ElementCount];
        for (int first = 0; first < pieces.Length; first += piece)
            weights.Fill(pieces.AsSpan(first, Math.Min(piece, pieces.Length - first)), first);
        Assert.That(pieces, Is.EqualTo(Values(Spec, seed: 5)));
    }

    [Test]
    public void Fill_oddCount_isAPrefix()
    {
        float[] odd = new float[7];
        new SeededWeights(5, Spec).Fill(odd, 0);
        Assert.That(odd, Is.EqualTo(Values(Spec, seed: 5)[..7]));
    }

    [Test]
    public void Fill_otherSeedOrName_givesOtherValues()
    {
        float[] values = Values(Spec, seed: 5);
        Assert.That(Values(Spec, seed: 6), Is.Not.EqualTo(values));
        Assert.That(Values(Spec with { Name = "layer1.0.conv2.weight" }, seed: 5), Is.Not.EqualTo(values));
    }

    /// <summary>A change here changes every model of the zoo, on this platform or on all.</summary>
    [Test]
    public void Fill_firstValues_areTheSameOnEveryPlatform() =>
        Assert.That(Values(Spec with { Values = new UniformRange(0, 1 << 24) }, seed: 0)[..4], Is.EqualTo(Golden));

    private static readonly float[] Golden = [4243278, 2236257, 10643081, 6203379];

    private static float[] Values(WeightSpec spec, int seed)
    {
        float[] values = new float[spec.ElementCount];
        new SeededWeights(seed, spec).Fill(values, 0);
        return values;
    }
}
