using EdgeSplit.Coordination;

namespace EdgeSplit.Hosting.Dashboard;

/// <summary>The last requests of a coordinator, and what each of the last seconds was like.</summary>
internal sealed class RequestHistory
{
    public const int KeptSeconds = 300;
    private const int KeptRequests = 200;
    private const int LatenciesPerSecond = 512;

    private readonly Lock _lock = new();
    private readonly Queue<(long Number, RequestOutcome Outcome)> _requests = new();
    private readonly Queue<Second> _seconds = new();
    private readonly TimeProvider _time;
    private Second? _current;
    private long _count;

    public RequestHistory(Coordinator coordinator)
    {
        _time = coordinator.Options.TimeProvider;
        coordinator.RequestEnded += (_, outcome) => Add(outcome);
    }

    /// <summary>The requests after a number, at most a number of them, and the number of the last.</summary>
    public (long Last, RequestOutcome[] Requests) RequestsAfter(long number, int most)
    {
        lock (_lock)
            return (_count, [.. _requests.Where(item => item.Number > number).TakeLast(most).Select(static item => item.Outcome)]);
    }

    /// <summary>The seconds that are over and later than one, in seconds since 1970.</summary>
    public object[] SecondsAfter(long unixSecond)
    {
        lock (_lock)
        {
            long now = _time.GetUtcNow().ToUnixTimeSeconds();
            Roll(now);
            return [.. _seconds.Where(second => second.Unix > unixSecond).Select(static second => second.Describe())];
        }
    }

    private void Add(RequestOutcome outcome)
    {
        lock (_lock)
        {
            _requests.Enqueue((++_count, outcome));
            if (_requests.Count > KeptRequests)
                _requests.Dequeue();
            Roll(outcome.Ended.ToUnixTimeSeconds());
            _current?.Add(outcome);
        }
    }

    private void Roll(long now)
    {
        if (_current is not null && now <= _current.Unix)
            return;
        if (_current is not null)
        {
            _seconds.Enqueue(_current);
            // Seconds without a request are told too, or a line would be drawn across them.
            for (long idle = Math.Max(_current.Unix + 1, now - KeptSeconds); idle < now; idle++)
                _seconds.Enqueue(new Second(idle));
        }
        while (_seconds.Count > KeptSeconds)
            _seconds.Dequeue();
        _current = new Second(now);
    }

    private sealed class Second(long unix)
    {
        private readonly List<double> _latencies = [];
        private int _answered;
        private int _failed;

        public long Unix => unix;

        public void Add(RequestOutcome outcome)
        {
            if (outcome.Error is not null)
            {
                _failed++;
                return;
            }
            _answered++;
            if (_latencies.Count < LatenciesPerSecond)
                _latencies.Add(outcome.Latency.TotalSeconds);
            else if (Random.Shared.Next(_answered) is var place && place < LatenciesPerSecond)
                _latencies[place] = outcome.Latency.TotalSeconds;
        }

        public object Describe()
        {
            double[] sorted = [.. _latencies.Order()];
            return new { at = unix, answered = _answered, failed = _failed, p50 = At(sorted, 0.5), p99 = At(sorted, 0.99) };
        }

        private static double? At(double[] sorted, double share) => sorted.Length == 0 ? null : sorted[(int)(share * (sorted.Length - 1))];
    }
}
