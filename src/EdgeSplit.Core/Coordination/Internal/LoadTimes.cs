using EdgeSplit.Costs.Internal;

namespace EdgeSplit.Coordination.Internal;

/// <summary>What an agent takes to make partitions ready whose weights it holds. Thread-safe.</summary>
internal sealed class LoadTimes
{
    // Reading weights and building a session: measured with ONNX Runtime at 0.3 to 1 GB/s (docs/costs.md), on top of some fixed work.
    private const double BytesPerSecond = 0.5e9;
    private const int Remembered = 4;
    private static readonly TimeSpan SessionTime = TimeSpan.FromMilliseconds(30);

    private readonly Lock _lock = new();
    private readonly SampleWindow<double> _factors = new(Remembered);

    /// <summary>Takes in what a load took.</summary>
    public void Add(long weightBytes, TimeSpan taken)
    {
        lock (_lock)
            _factors.Add(taken / Typical(weightBytes));
    }

    /// <summary>What a load will take: as much longer or less long than is typical as the slowest of the last ones did, since a partition that was there before loads far faster.</summary>
    public TimeSpan Predict(long weightBytes)
    {
        lock (_lock)
            return Typical(weightBytes) * (_factors.Count > 0 ? _factors.Latest(Remembered).Max() : 1);
    }

    private static TimeSpan Typical(long weightBytes) => SessionTime + TimeSpan.FromSeconds(weightBytes / BytesPerSecond);
}
