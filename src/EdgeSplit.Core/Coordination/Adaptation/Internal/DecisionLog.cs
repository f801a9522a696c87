using System.Collections.Immutable;

namespace EdgeSplit.Coordination.Adaptation.Internal;

/// <summary>The last decisions of a coordinator.</summary>
internal sealed class DecisionLog(int kept)
{
    private readonly Lock _lock = new();
    private readonly List<RepartitionDecision> _decisions = [];

    public ImmutableArray<RepartitionDecision> Decisions
    {
        get
        {
            lock (_lock)
                return [.. _decisions];
        }
    }

    /// <summary>Takes in a decision; one that repeats the last, but for its figures, only counts it up.</summary>
    /// <returns>The decision as it stands in the log.</returns>
    public RepartitionDecision Add(RepartitionDecision decision)
    {
        lock (_lock)
        {
            if (_decisions is [.., { Switched: false } last] && !decision.Switched && last.Model == decision.Model && last.Trigger == decision.Trigger && SayTheSame(last.Reason, decision.Reason))
                return _decisions[^1] = decision with { Repetitions = last.Repetitions + 1 };
            if (_decisions.Count == kept)
                _decisions.RemoveAt(0);
            _decisions.Add(decision);
            return decision;
        }
    }

    private static bool SayTheSame(string one, string other) => one.Where(IsNoFigure).SequenceEqual(other.Where(IsNoFigure));

    private static bool IsNoFigure(char character) => !char.IsAsciiDigit(character) && character is not ('.' or '-' or '%');
}
