namespace EdgeSplit.Coordination.Internal;

/// <summary>
/// Says which of several ways each request takes, by its number alone: smooth weighted round robin (as nginx balances upstream servers), which
/// spreads the turns of a way evenly. Immutable.
/// </summary>
internal sealed class RequestTurns
{
    // A multiple of 1 to 8, so that the common shares come out exactly.
    private const int Turns = 840;

    private readonly byte[] _turns;

    /// <param name="shares">The share of each way, adding up to 1; at most 256 ways.</param>
    public RequestTurns(IReadOnlyList<double> shares)
    {
        if (shares.Count > byte.MaxValue + 1)
            throw new ArgumentException($"There are {shares.Count} ways; at most {byte.MaxValue + 1} can take turns.", nameof(shares));
        _turns = new byte[shares.Count == 1 ? 1 : Turns];
        var credits = new double[shares.Count];
        for (int turn = 0; turn < _turns.Length; turn++)
        {
            int next = 0;
            for (int way = 0; way < credits.Length; way++)
            {
                credits[way] += shares[way];
                // Credits that are equal but for rounding go to the first.
                if (credits[way] > credits[next] + 1e-9)
                    next = way;
            }
            credits[next]--;
            _turns[turn] = (byte)next;
        }
    }

    /// <summary>The way that a request takes.</summary>
    /// <param name="request">Its number, from 0.</param>
    public int Of(long request) => _turns[request % _turns.Length];
}
