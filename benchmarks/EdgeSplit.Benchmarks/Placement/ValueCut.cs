namespace EdgeSplit.Benchmarks.Placement;

/// <summary>
/// What an accelerator that has certain atoms, but not certain others, exchanges at least. A value is moved once where
/// those that make and read it are on both sides, so this is a minimum cut of a hypergraph; any flow is a bound. Flow is sent along
/// shortest paths, none of it taken back.
/// </summary>
internal sealed class ValueCut(AcceleratorGraph graph)
{
    private readonly double[] _left = new double[graph.Count];
    private readonly int[] _leftAt = new int[graph.Count];
    private readonly int[] _seenAtom = new int[graph.Count];
    private readonly int[] _seenValue = new int[graph.Count];
    private readonly int[] _fromValue = new int[graph.Count];
    private readonly int[] _fromAtom = new int[graph.Count];
    private readonly AtomSet _outside = new(graph.Count);
    private readonly Queue<int> _open = new();
    private int _round;
    private int _look;

    /// <summary>The least time of transfers.</summary>
    /// <param name="part">Atoms that the accelerator has.</param>
    /// <param name="maker">An atom that it reads from and has not, so that it has none before that either; -1 for none.</param>
    /// <param name="next">An atom that reads from it and is elsewhere, so that it has none after that either; -1 for none.</param>
    public double LeastSeconds(AtomSet part, int maker, int next)
    {
        _round++;
        _outside.Clear();
        if (maker >= 0)
            _outside.UnionWith(graph.Before[maker]);
        if (next >= 0)
            _outside.UnionWith(graph.After[next]);
        if (_outside.Overlaps(part))
            return double.PositiveInfinity;
        double sum = 0;
        while (Push(part) is double pushed and > 0)
            sum += pushed;
        return sum;
    }

    /// <summary>Sends flow along a shortest path, breadth first.</summary>
    private double Push(AtomSet part)
    {
        int look = ++_look;
        _open.Clear();
        for (int atom = part.NextFrom(0); atom >= 0; atom = part.NextFrom(atom + 1))
        {
            _seenAtom[atom] = look;
            _fromValue[atom] = -1;
            _open.Enqueue(atom);
        }
        while (_open.TryDequeue(out int atom))
        {
            int reached = Visit(atom, atom, look);
            foreach (int maker in graph.Makers[atom])
            {
                if (reached < 0)
                    reached = Visit(maker, atom, look);
            }
            if (reached >= 0)
                return Send(reached);
        }
        return 0;
    }

    /// <summary>Goes through a value from one of those that make or read it to the others; the first that is outside, or -1.</summary>
    private int Visit(int value, int from, int look)
    {
        if (_seenValue[value] == look || graph.Readers[value].Length == 0 || Left(value) <= 0)
            return -1;
        _seenValue[value] = look;
        _fromAtom[value] = from;
        if (Reach(value, value, look))
            return value;
        foreach (int reader in graph.Readers[value])
        {
            if (Reach(reader, value, look))
                return reader;
        }
        return -1;
    }

    private bool Reach(int atom, int value, int look)
    {
        if (_seenAtom[atom] == look)
            return false;
        _seenAtom[atom] = look;
        _fromValue[atom] = value;
        if (_outside.Contains(atom))
            return true;
        _open.Enqueue(atom);
        return false;
    }

    private double Send(int atom)
    {
        double least = double.PositiveInfinity;
        for (int at = atom; _fromValue[at] >= 0; at = _fromAtom[_fromValue[at]])
            least = Math.Min(least, Left(_fromValue[at]));
        for (int at = atom; _fromValue[at] >= 0; at = _fromAtom[_fromValue[at]])
            _left[_fromValue[at]] = Left(_fromValue[at]) - least;
        return least;
    }

    private double Left(int value)
    {
        if (_leftAt[value] != _round)
            (_leftAt[value], _left[value]) = (_round, graph.Costs[value]);
        return _left[value];
    }
}
