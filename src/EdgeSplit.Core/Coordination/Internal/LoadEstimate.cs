using EdgeSplit.Monitoring;

namespace EdgeSplit.Coordination.Internal;

/// <summary>The share of a device that other programs take: the median of its last reports, so that a single odd one counts nothing.</summary>
internal sealed class LoadEstimate
{
    private const int Window = 5;
    private readonly Lock _lock = new();
    private readonly double[] _shares = new double[Window];
    private int _count;

    public double Share { get; private set; }

    public void Add(ResourceSample sample)
    {
        if (sample.HostCpuLoad is not double host || sample.ProcessCpuLoad is not double own)
            return;
        lock (_lock)
        {
            _shares[_count++ % Window] = Math.Clamp(host - own, 0, 0.95);
            Span<double> sorted = stackalloc double[Math.Min(_count, Window)];
            _shares.AsSpan(0, sorted.Length).CopyTo(sorted);
            sorted.Sort();
            Share = sorted[sorted.Length / 2];
        }
    }
}
