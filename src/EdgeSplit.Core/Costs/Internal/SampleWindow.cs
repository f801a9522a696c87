namespace EdgeSplit.Costs.Internal;

/// <summary>The last samples of something.</summary>
internal sealed class SampleWindow<T>(int size)
{
    private readonly T[] _samples = new T[size];
    private int _next;

    public int Count { get; private set; }

    public ReadOnlySpan<T> Samples => _samples.AsSpan(0, Count);

    public void Add(T sample)
    {
        _samples[_next] = sample;
        _next = (_next + 1) % _samples.Length;
        Count = Math.Min(Count + 1, _samples.Length);
    }

    /// <summary>The latest samples, oldest first: so many, or all that there are.</summary>
    public T[] Latest(int count)
    {
        var latest = new T[Math.Min(count, Count)];
        for (int i = 0; i < latest.Length; i++)
            latest[i] = _samples[(_next - latest.Length + i + _samples.Length) % _samples.Length];
        return latest;
    }

    /// <summary>Forgets all but the latest samples.</summary>
    public void KeepLatest(int count)
    {
        if (count >= Count)
            return;
        Latest(count).CopyTo(_samples, 0);
        (Count, _next) = (count, count % _samples.Length);
    }
}

/// <summary>Order statistics.</summary>
internal static class Quantiles
{
    /// <summary>The value that a share of the values stays below, interpolated; the values are sorted.</summary>
    public static double Of(Span<double> values, double share)
    {
        values.Sort();
        double position = (values.Length - 1) * share;
        int below = (int)position;
        return below + 1 < values.Length ? values[below] + ((position - below) * (values[below + 1] - values[below])) : values[below];
    }

    /// <summary>The value in the middle, of an even number the higher of the two; the values are sorted.</summary>
    public static double UpperMedian(Span<double> values)
    {
        values.Sort();
        return values[values.Length / 2];
    }
}
