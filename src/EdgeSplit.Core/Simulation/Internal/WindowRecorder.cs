using System.Collections.Immutable;

namespace EdgeSplit.Simulation.Internal;

/// <summary>Sums up requests by spans of time.</summary>
internal sealed class WindowRecorder(TimeSpan length)
{
    private readonly Lock _lock = new();
    private readonly List<Window> _windows = [];
    private readonly SortedDictionary<string, long> _failures = new(StringComparer.Ordinal);

    public void Arrived(TimeSpan at)
    {
        lock (_lock)
            At(at).Requests++;
    }

    public void Completed(TimeSpan at, TimeSpan latency)
    {
        lock (_lock)
            At(at).Latencies.Add(latency.TotalSeconds);
    }

    public void Failed(TimeSpan at, string error)
    {
        lock (_lock)
        {
            At(at).Failed++;
            _failures[error] = _failures.GetValueOrDefault(error) + 1;
        }
    }

    public ImmutableSortedDictionary<string, long> Failures => _failures.ToImmutableSortedDictionary(StringComparer.Ordinal);

    public ImmutableArray<SimulationWindow> ToWindows() => [.. _windows.Select((window, index) =>
    {
        window.Latencies.Sort();
        return new SimulationWindow(index * length, length, window.Requests, window.Latencies.Count, window.Failed, Percentile(window.Latencies, 0.5), Percentile(window.Latencies, 0.99));
    })];

    private Window At(TimeSpan at)
    {
        int index = (int)(at / length);
        while (_windows.Count <= index)
            _windows.Add(new Window());
        return _windows[index];
    }

    /// <summary>The smallest value that at least this share is not above.</summary>
    private static double Percentile(List<double> sorted, double share) =>
        sorted.Count == 0 ? double.NaN : sorted[Math.Max((int)Math.Ceiling(share * sorted.Count) - 1, 0)];

    private sealed class Window
    {
        public long Requests;
        public long Failed;

        public List<double> Latencies { get; } = [];
    }
}
