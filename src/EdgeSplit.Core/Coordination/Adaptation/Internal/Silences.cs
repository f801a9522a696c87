using EdgeSplit.Costs.Internal;
using EdgeSplit.Partitioning;

namespace EdgeSplit.Coordination.Adaptation.Internal;

/// <summary>
/// Notices stages of one plan that owe answers and give none for far longer than they are used to: of a transfer that is still under way, nothing
/// else tells. Thread-safe.
/// </summary>
internal sealed class Silences
{
    private const int Gaps = 16;
    private const int LeastGaps = 6;

    // Times the longest of the last gaps between answers.
    private const double TellingFactor = 2;

    // Times what a plan is predicted to take, while its gaps are not known.
    private const double FirstFactor = 3;

    // What processors and other programs make of a gap at times.
    private const double ShortestSeconds = 0.1;

    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly Stage[] _stages;
    private readonly double _firstSeconds;

    /// <param name="plan">The plan.</param>
    /// <param name="time">The clock.</param>
    public Silences(PartitionPlan plan, TimeProvider time)
    {
        _time = time;
        _stages = [.. plan.Stages.Select(static _ => new Stage())];
        _firstSeconds = FirstFactor * plan.Cost.LatencySeconds;
    }

    /// <summary>Notes that a stage owes one more answer.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="now">The timestamp.</param>
    public void Begin(int stage, long now)
    {
        lock (_lock)
        {
            Stage asked = _stages[stage];
            if (asked.Owed++ == 0)
                asked.QuietSince(now);
        }
    }

    /// <summary>Notes that a stage owes one answer less.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="isAnswered">Whether it has given it; one that failed or was cancelled tells nothing.</param>
    public void End(int stage, bool isAnswered)
    {
        lock (_lock)
        {
            Stage asked = _stages[stage];
            asked.Owed--;
            if (!isAnswered)
                return;
            long now = _time.GetTimestamp();
            asked.Gaps.Add(_time.GetElapsedTime(asked.Since, now).TotalSeconds);
            asked.QuietSince(now);
        }
    }

    /// <summary>For how long the stage has been silent that has been so for longest, of those that were told; 0 where none is.</summary>
    public TimeSpan Longest()
    {
        lock (_lock)
        {
            Stage[] silent = [.. _stages.Where(static stage => stage.Owed > 0 && stage.Told > 0)];
            return silent.Length == 0 ? TimeSpan.Zero : _time.GetElapsedTime(silent.Min(static stage => stage.Since));
        }
    }

    /// <summary>The stages that are silent. Each is told once, and again when its silence has become twice as long.</summary>
    public List<int> Find()
    {
        List<int> found = [];
        long now = _time.GetTimestamp();
        lock (_lock)
        {
            for (int i = 0; i < _stages.Length; i++)
            {
                Stage stage = _stages[i];
                double silence = _time.GetElapsedTime(stage.Since, now).TotalSeconds;
                if (stage.Owed == 0 || silence < Math.Max(stage.Told * 2, Telling(stage)))
                    continue;
                stage.Told = silence;
                found.Add(i);
            }
        }
        return found;
    }

    private double Telling(Stage stage)
    {
        double usual = stage.Gaps.Count < LeastGaps ? _firstSeconds : 0;
        foreach (double gap in stage.Gaps.Samples)
            usual = Math.Max(usual, TellingFactor * gap);
        return Math.Max(usual, ShortestSeconds);
    }

    private sealed class Stage
    {
        public int Owed { get; set; }

        /// <summary>The timestamp since which nothing has come, of those that owe something.</summary>
        public long Since { get; private set; }

        /// <summary>The seconds of the present silence when it was told of last; 0 where it was not.</summary>
        public double Told { get; set; }

        public SampleWindow<double> Gaps { get; } = new(Silences.Gaps);

        public void QuietSince(long now) => (Since, Told) = (now, 0);
    }
}
