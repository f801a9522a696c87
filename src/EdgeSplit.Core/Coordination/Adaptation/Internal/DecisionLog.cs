using System.Collections.Immutable;

namespace EdgeSplit.Coordination.Adaptation.Internal;

/// <summary>The last decisions of a coordinator.</summary>
internal sealed class DecisionLog(int kept)
{
    private readonly Lock _lock = new();
    private ImmutableQueue<RepartitionDecision> _decisions = [];
    private int _count;
    private RepartitionDecision? _last;

    public ImmutableArray<RepartitionDecision> Decisions
    {
        get
        {
            lock (_lock)
                return _last is null ? [] : [.. _decisions, _last];
        }
    }

    /// <summary>Takes in a decision; one that repeats the last only counts it up.</summary>
    /// <returns>The decision as it stands in the log.</returns>
    public RepartitionDecision Add(RepartitionDecision decision)
    {
        lock (_lock)
        {
            if (_last is { Switched: false } last && !decision.Switched && last.Model == decision.Model && last.Trigger == decision.Trigger && last.Reason == decision.Reason)
                return _last = decision with { Repetitions = last.Repetitions + 1 };
            if (_last is not null)
            {
                _decisions = _decisions.Enqueue(_last);
                if (++_count >= kept)
                {
                    _decisions = _decisions.Dequeue();
                    _count--;
                }
            }
            return _last = decision;
        }
    }
}
