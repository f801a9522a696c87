using System.Collections.Immutable;
using EdgeSplit.Partitioning;

namespace EdgeSplit.Coordination.Adaptation.Internal;

/// <summary>What the stages of one plan took of late, against what they took when the plan was last weighed.</summary>
internal sealed class StageTimes
{
    private const int Runs = 16;
    private const int QuickRuns = 4;
    private const int LeastOf = 8;

    // Timers and schedulers blur what is shorter.
    private const double FinestSeconds = 0.0005;

    private readonly Lock _lock = new();
    private readonly Stage[] _stages;
    private readonly double _negligibleSeconds;

    /// <param name="plan">The plan, whose predictions are what is expected at first.</param>
    public StageTimes(PartitionPlan plan)
    {
        _stages = [.. plan.Stages.Select(static stage => new Stage(stage.PredictedSeconds))];
        // A change that is lost in the whole is none.
        _negligibleSeconds = Math.Max(plan.Stages.Sum(static stage => stage.PredictedSeconds) * 0.02, FinestSeconds);
    }

    public void Record(ImmutableArray<StageTiming> timings)
    {
        lock (_lock)
        {
            foreach (StageTiming timing in timings)
                _stages[timing.Stage].Add(timing.Compute.TotalSeconds, timing.Transfer.TotalSeconds);
        }
    }

    /// <summary>The stage whose compute time has changed most, by more than a share; null where none has.</summary>
    public StageChange? FindComputeChange(double share) => Find(stage => stage.ComputeChange(share, _negligibleSeconds));

    /// <summary>The stage whose tensors' least time has changed most, by more than a share; null where none has.</summary>
    public StageChange? FindTransferChange(double share) => Find(stage => stage.TransferChange(share));

    /// <summary>Takes what the stages take now as what is expected.</summary>
    public void Accept()
    {
        lock (_lock)
        {
            foreach (Stage stage in _stages)
                stage.Accept();
        }
    }

    private StageChange? Find(Func<Stage, (double Before, double Now)?> change)
    {
        lock (_lock)
        {
            StageChange? found = null;
            for (int i = 0; i < _stages.Length; i++)
            {
                if (change(_stages[i]) is var (before, now) && (found is null || Math.Abs(now - before) > Math.Abs(found.NowSeconds - found.BeforeSeconds)))
                    found = new StageChange(i, before, now);
            }
            return found;
        }
    }

    private sealed class Stage(double expectedCompute)
    {
        private readonly double[] _compute = new double[Runs];
        private readonly double[] _transfer = new double[Runs];
        private int _count;
        private double _expectedCompute = expectedCompute;
        private double _expectedTransfer = double.NaN;

        public void Add(double compute, double transfer)
        {
            _compute[_count % Runs] = compute;
            _transfer[_count % Runs] = transfer;
            _count++;
            // What is expected of transfers is what they take at first.
            if (_count == LeastOf && double.IsNaN(_expectedTransfer))
                _expectedTransfer = Latest(_transfer, LeastOf).Min();
        }

        public (double Before, double Now)? ComputeChange(double share, double negligible)
        {
            if (_count < QuickRuns)
                return null;
            double[] quick = Latest(_compute, QuickRuns);
            double now = Median(quick);
            bool isSudden = quick.All(seconds => seconds > _expectedCompute * (1 + share)) || quick.All(seconds => seconds < _expectedCompute / (1 + share));
            if (!isSudden)
            {
                if (_count < Runs)
                    return null;
                now = Median(Latest(_compute, Runs));
            }
            return Math.Abs(now - _expectedCompute) > negligible && (now > _expectedCompute * (1 + share) || now < _expectedCompute / (1 + share)) ? (_expectedCompute, now) : null;
        }

        public (double Before, double Now)? TransferChange(double share)
        {
            if (_count < 2 * LeastOf || double.IsNaN(_expectedTransfer))
                return _count >= LeastOf + QuickRuns && !double.IsNaN(_expectedTransfer) ? Compare(Latest(_transfer, QuickRuns).Min(), 2 * share) : null;
            return Compare(Latest(_transfer, LeastOf).Min(), share) ?? Compare(Latest(_transfer, QuickRuns).Min(), 2 * share);

            (double, double)? Compare(double now, double by) =>
                Math.Abs(now - _expectedTransfer) > FinestSeconds && (now > _expectedTransfer * (1 + by) || now < _expectedTransfer / (1 + by)) ? (_expectedTransfer, now) : null;
        }

        public void Accept()
        {
            if (_count >= QuickRuns)
            {
                _expectedCompute = Median(Latest(_compute, Math.Min(_count, QuickRuns)));
                _expectedTransfer = Latest(_transfer, Math.Min(_count, LeastOf)).Min();
            }
        }

        private double[] Latest(double[] ring, int count)
        {
            var latest = new double[Math.Min(count, _count)];
            for (int i = 0; i < latest.Length; i++)
                latest[i] = ring[(_count - 1 - i) % Runs];
            return latest;
        }

        private static double Median(double[] values)
        {
            Array.Sort(values);
            return values[values.Length / 2];
        }
    }
}

/// <summary>What a stage took when its plan was last weighed, and takes now.</summary>
internal sealed record StageChange(int Stage, double BeforeSeconds, double NowSeconds);
