namespace EdgeSplit.Partitioning.Internal;

/// <summary>The best feasible assignment so far.</summary>
internal sealed class Incumbent
{
    private int[] _assignment = [];

    public double Objective { get; private set; } = double.PositiveInfinity;

    public ReadOnlySpan<int> Assignment => _assignment;

    public bool Exists => _assignment.Length > 0;

    /// <summary>Takes the assignment where its objective is lower; it must be feasible.</summary>
    public bool Offer(ReadOnlySpan<int> assignment, double objective)
    {
        if (Exists && objective >= Objective)
            return false;
        _assignment = assignment.ToArray();
        Objective = objective;
        return true;
    }

    /// <summary>Takes the assignment of a search, which must be feasible, where its objective is lower.</summary>
    public void OfferBetter(SearchState state) => Offer(state.Loads.Assignment, state.Objective());
}
