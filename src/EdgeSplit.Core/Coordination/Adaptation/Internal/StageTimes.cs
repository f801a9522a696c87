using EdgeSplit.Costs.Internal;
using EdgeSplit.Partitioning;

namespace EdgeSplit.Coordination.Adaptation.Internal;

/// <summary>What the stages of one plan took of late, against what they took when the plan was last weighed.</summary>
internal sealed class StageTimes
{
    private const int Runs = 16;
    private const int QuickRuns = 6;

    // Runs that what is expected is the mean of; from then on it stays, so that a slow drift is a change too.
    private const int LearntRuns = 64;

    // Timers and schedulers blur what is shorter.
    private const double FinestSeconds = 0.0005;

    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly Stage[] _stages;
    private readonly double _negligibleSeconds;

    /// <param name="plan">The plan, whose predictions are what is expected at first.</param>
    /// <param name="time">The clock.</param>
    public StageTimes(PartitionPlan plan, TimeProvider time)
    {
        _time = time;
        _stages = [.. plan.Stages.Select(static stage => new Stage(stage.PredictedSeconds))];
        // No gain of a tenth comes from less than a twentieth of the whole.
        _negligibleSeconds = Math.Max(plan.Stages.Sum(static stage => stage.PredictedSeconds) * 0.05, FinestSeconds);
        Deliveries = new DeliveryTimes(time, _negligibleSeconds);
    }

    /// <summary>What deliveries between stages took.</summary>
    public DeliveryTimes Deliveries { get; }

    /// <summary>Takes in what a stage took that has ended well.</summary>
    /// <param name="timing">What it took.</param>
    /// <param name="tellsCompute">Whether its agent did nothing else for the coordinator meanwhile.</param>
    /// <param name="tellsTransfer">Whether its tensors went the ways that they go now.</param>
    public void Record(StageTiming timing, bool tellsCompute = true, bool tellsTransfer = true)
    {
        lock (_lock)
            _stages[timing.Stage].Add(timing, tellsCompute, tellsTransfer, _time.GetTimestamp());
    }

    /// <summary>The stages whose compute time has changed by more than a share, those that have changed most first.</summary>
    public StageChange[] FindComputeChanges(double share) => Find(stage => stage.ComputeChange(share, _negligibleSeconds));

    /// <summary>The stages whose tensors' least time has changed by more than a share, those that have changed most first.</summary>
    public StageChange[] FindTransferChanges(double share) => Find(stage => stage.TransferChange(share, _negligibleSeconds));

    /// <summary>Answers per second of a stage of late; 0 where there were too few.</summary>
    public double AnswersPerSecond(int stage)
    {
        lock (_lock)
            return _stages[stage].AnswersPerSecond((from, to) => _time.GetElapsedTime(from, to).TotalSeconds);
    }

    /// <summary>Says what the link is known to take for a stage's tensors; of no effect once what they took was weighed.</summary>
    public void PredictTransfers(int stage, double seconds)
    {
        lock (_lock)
            _stages[stage].PredictTransfers(seconds);
    }

    /// <summary>Forgets what a stage's tensors took, as after they take another way.</summary>
    public void ForgetTransfers(int stage)
    {
        lock (_lock)
            _stages[stage].ForgetTransfers();
    }

    /// <summary>The share of a processor that a stage has computed for of late; 0 where there were too few runs.</summary>
    public double BusyShare(int stage)
    {
        lock (_lock)
            return _stages[stage].BusyShare(_time.GetTimestamp(), (from, to) => _time.GetElapsedTime(from, to).TotalSeconds);
    }

    /// <summary>Takes what the stages take now as what is expected.</summary>
    /// <param name="transferShare">The share by which a transfer's time changes that counts.</param>
    public void Accept(double transferShare)
    {
        Deliveries.Accept(transferShare);
        lock (_lock)
        {
            foreach (Stage stage in _stages)
                stage.Accept(transferShare, _negligibleSeconds);
        }
    }

    private StageChange[] Find(Func<Stage, (double Before, double Now)?> change)
    {
        var found = new List<StageChange>();
        lock (_lock)
        {
            for (int i = 0; i < _stages.Length; i++)
            {
                if (change(_stages[i]) is var (before, now))
                    found.Add(new StageChange(i, before, now));
            }
        }
        return [.. found.OrderByDescending(static change => Math.Abs(change.NowSeconds - change.BeforeSeconds))];
    }

    private sealed class Stage(double expectedCompute)
    {
        private readonly SampleWindow<double> _compute = new(Runs);
        private TransferTimes _transfer = new();
        private readonly SampleWindow<long> _endedAt = new(Runs);
        private double _expectedCompute = expectedCompute;
        private bool _isMeasured;
        private bool _isWeighed;
        private int _learnt;

        public void Add(StageTiming timing, bool tellsCompute, bool tellsTransfer, long now)
        {
            _endedAt.Add(now);
            if (tellsTransfer)
                _transfer.Add(timing.Transfer.TotalSeconds);
            if (!tellsCompute)
                return;
            double compute = timing.Compute.TotalSeconds;
            _compute.Add(compute);
            if (_isMeasured && _learnt < LearntRuns && compute < 2 * _expectedCompute)
                _expectedCompute += (compute - _expectedCompute) / ++_learnt;
        }

        public double AnswersPerSecond(Func<long, long, double> seconds)
        {
            long[] ended = _endedAt.Latest(Runs);
            if (ended.Length < QuickRuns)
                return 0;
            double span = seconds(ended[0], ended[^1]);
            return span > 0 ? (ended.Length - 1) / span : 0;
        }

        public double BusyShare(long now, Func<long, long, double> seconds)
        {
            long[] ended = _endedAt.Latest(Runs);
            if (ended.Length < QuickRuns)
                return 0;
            // Until now rather than until the last answer: who asks no more takes no more.
            double span = seconds(ended[0], now);
            return span > 0 ? _compute.Latest(ended.Length - 1).Sum() / span : 0;
        }

        public (double Before, double Now)? ComputeChange(double share, double negligible)
        {
            if (_compute.Count < QuickRuns)
                return null;
            (double, double)? change = Deviation(share, negligible);
            // What was predicted was near enough; from now on what was measured counts, which is nearer.
            if (change is null && !_isMeasured && _compute.Count == Runs)
                (_expectedCompute, _learnt, _isMeasured) = (_compute.Latest(Runs).Average(), Runs, true);
            return change;
        }

        private (double Before, double Now)? Deviation(double share, double negligible)
        {
            double[] quick = _compute.Latest(QuickRuns);
            // What few runs have shown is itself uncertain.
            double by = 1 + (_isMeasured && _learnt < Runs ? 2 * share : share);
            if (quick.All(seconds => seconds > _expectedCompute * by) || quick.All(seconds => seconds < _expectedCompute / by))
                return IfTelling(Quantiles.UpperMedian(quick));
            return _compute.Count < Runs ? null : IfTelling(Quantiles.UpperMedian(_compute.Latest(Runs)));

            (double, double)? IfTelling(double now) =>
                Math.Abs(now - _expectedCompute) > negligible && (now > _expectedCompute * by || now < _expectedCompute / by) ? (_expectedCompute, now) : null;
        }

        public (double Before, double Now)? TransferChange(double share, double negligible) => _transfer.Change(share, negligible);

        public void ForgetTransfers() => (_transfer, _isWeighed) = (new TransferTimes(), false);

        public void PredictTransfers(double seconds)
        {
            if (!_isWeighed)
                _transfer.Predict(seconds);
        }

        public void Accept(double transferShare, double negligible)
        {
            if (_compute.Count >= QuickRuns)
            {
                double now = Quantiles.UpperMedian(_compute.Latest(QuickRuns));
                // One that has not changed goes on to be learnt.
                if (!_isMeasured || now > _expectedCompute * 1.2 || now < _expectedCompute / 1.2)
                    (_expectedCompute, _learnt, _isMeasured) = (now, QuickRuns, true);
                _transfer.Accept(transferShare, negligible);
                _isWeighed = true;
            }
        }
    }
}

/// <summary>What a stage took when its plan was last weighed, and takes now.</summary>
internal sealed record StageChange(int Stage, double BeforeSeconds, double NowSeconds);
