namespace EdgeSplit.Coordination.Adaptation.Internal;

/// <summary>What tensors that agents hand to each other took of late, by the stages that make and read them. Thread-safe.</summary>
internal sealed class DeliveryTimes(TimeProvider time, double negligibleSeconds)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(int From, int To), (TransferTimes Times, long LastAt)> _deliveries = [];
    private readonly Dictionary<(int From, int To), TransferTimes> _predicted = [];

    public void Record(int from, int to, TimeSpan taken)
    {
        lock (_lock)
        {
            TransferTimes times = _deliveries.GetValueOrDefault((from, to)).Times ?? _predicted.GetValueOrDefault((from, to)) ?? new TransferTimes();
            times.Add(taken.TotalSeconds);
            _deliveries[(from, to)] = (times, time.GetTimestamp());
        }
    }

    /// <summary>Says what the link is known to take for deliveries between two stages; of no effect once they were weighed.</summary>
    public void Predict(int from, int to, double seconds)
    {
        lock (_lock)
        {
            if (_deliveries.ContainsKey((from, to)))
                return;
            var times = new TransferTimes();
            times.Predict(seconds);
            _predicted[(from, to)] = times;
        }
    }

    /// <summary>The time since the last delivery from one stage to another; null where there was none.</summary>
    public TimeSpan? SinceLast(int from, int to)
    {
        lock (_lock)
            return _deliveries.TryGetValue((from, to), out (TransferTimes Times, long LastAt) known) ? time.GetElapsedTime(known.LastAt) : null;
    }

    /// <summary>The deliveries whose least time has changed by more than a share, those that have changed most first.</summary>
    public DeliveryChange[] FindChanges(double share)
    {
        var found = new List<DeliveryChange>();
        lock (_lock)
        {
            foreach (((int from, int to), (TransferTimes times, _)) in _deliveries)
            {
                if (times.Change(share, negligibleSeconds) is var (before, now))
                    found.Add(new DeliveryChange(from, to, before, now));
            }
        }
        return [.. found.OrderByDescending(static change => Math.Abs(change.NowSeconds - change.BeforeSeconds))];
    }

    /// <summary>Takes what deliveries take now as what is expected.</summary>
    /// <param name="share">The share that counts as a change.</param>
    public void Accept(double share)
    {
        lock (_lock)
        {
            foreach ((TransferTimes times, _) in _deliveries.Values)
                times.Accept(share, negligibleSeconds);
        }
    }

    /// <summary>Forgets what deliveries between two stages took, as after they changed.</summary>
    public void Forget(int from, int to)
    {
        lock (_lock)
            _deliveries.Remove((from, to));
    }
}

/// <summary>What a delivery took when its plan was last weighed, and takes now.</summary>
internal sealed record DeliveryChange(int FromStage, int ToStage, double BeforeSeconds, double NowSeconds);
