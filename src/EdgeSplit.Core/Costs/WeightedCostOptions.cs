namespace EdgeSplit.Costs;

/// <summary>
/// The weights of a <see cref="WeightedCostModel"/>. Every term is brought to seconds first, so that weights of 1 mix
/// figures of the same order: bytes by <see cref="ReferenceBytesPerSecond"/>, joules by <see cref="ReferenceWatts"/>.
/// </summary>
public sealed record WeightedCostOptions
{
    /// <summary>The weight of the latency of one request, per second.</summary>
    /// <value>Default: 1.</value>
    public double Latency { get; init => field = NotNegative(value); } = 1;

    /// <summary>The weight of the bytes that travel, per second that they would take at <see cref="ReferenceBytesPerSecond"/>.</summary>
    /// <value>Default: 1.</value>
    public double Bandwidth { get; init => field = NotNegative(value); } = 1;

    /// <summary>The weight of the energy, per second that it would last at <see cref="ReferenceWatts"/>.</summary>
    /// <value>Default: 1.</value>
    public double Energy { get; init => field = NotNegative(value); } = 1;

    /// <summary>The weight of the computational load: seconds that the busiest device or link is busy with one request.</summary>
    /// <value>Default: 1.</value>
    public double Load { get; init => field = NotNegative(value); } = 1;

    /// <summary>What brings bytes to seconds.</summary>
    /// <value>Default: 12.5 MB/s, 100 Mbit/s.</value>
    public double ReferenceBytesPerSecond { get; init => field = Positive(value); } = 12.5e6;

    /// <summary>What brings joules to seconds.</summary>
    /// <value>Default: 5 W.</value>
    public double ReferenceWatts { get; init => field = Positive(value); } = 5;

    private static double NotNegative(double value) =>
        value >= 0 && double.IsFinite(value) ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A weight is a finite number of 0 or more.");

    private static double Positive(double value) =>
        value > 0 && double.IsFinite(value) ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A reference is a finite number above 0.");
}
