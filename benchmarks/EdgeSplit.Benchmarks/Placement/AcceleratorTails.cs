namespace EdgeSplit.Benchmarks.Placement;

/// <summary>
/// How long it takes at least, in the reference's latency model, from when a value is there until the end, given that the atom that reads it is not
/// where it was made. Along a path, an accelerator that has some atoms has all that lies between them too, as it is invoked once; it must hold them, and it pays for
/// the values that lead out of them to what it cannot have: a minimum cut. Dynamic programming over the ways to cut a path into such parts and atoms on the host.
/// </summary>
internal sealed class AcceleratorTails
{
    private readonly AcceleratorGraph _graph;

    /// <summary>By atom, position of a maker and accelerators left.</summary>
    private readonly double[][][] _tails;
    private readonly int[] _next;
    private readonly ValueCut _cut;

    public AcceleratorTails(AcceleratorGraph graph)
    {
        _graph = graph;
        _tails = new double[graph.Count][][];
        _next = new int[graph.Count];
        _cut = new ValueCut(graph);
        for (int atom = graph.Count - 1; atom >= 0; atom--)
        {
            SetNext(atom);
            SetTails(atom);
        }
        LatencyBound = Enumerable.Range(0, graph.Count).Where(atom => graph.Makers[atom].Length == 0).Max(atom => _tails[atom][0][graph.Accelerators]);
    }

    /// <summary>What no split's latency is below.</summary>
    public double LatencyBound { get; }

    /// <summary>The least time until the end from when a value is there.</summary>
    /// <param name="atom">The atom that reads it.</param>
    /// <param name="maker">The position of the value's maker; 0 for an atom that reads nothing.</param>
    /// <param name="accelerators">The accelerators that are not in use.</param>
    public double From(int atom, int maker, int accelerators) => _tails[atom][maker][accelerators];

    private void SetNext(int atom)
    {
        _next[atom] = -1;
        double longest = -1;
        foreach (int reader in _graph.Readers[atom])
        {
            double tail = _tails[reader][Array.IndexOf(_graph.Makers[reader], atom)][_graph.Accelerators];
            if (tail > longest)
                (_next[atom], longest) = (reader, tail);
        }
    }

    private void SetTails(int atom)
    {
        int makers = Math.Max(1, _graph.Makers[atom].Length);
        _tails[atom] = new double[makers][];
        for (int maker = 0; maker < makers; maker++)
        {
            double onHost = _graph.Makers[atom].Length == 0 ? _graph.HostSecondsAlone[atom] : _graph.HostSeconds[atom][maker];
            _tails[atom][maker] = [.. Enumerable.Range(0, _graph.Accelerators + 1).Select(left => onHost + After(atom, left))];
        }
        var part = new AtomSet(_graph.Count);
        var before = new AtomSet(_graph.Count);
        var after = new AtomSet(_graph.Count);
        double size = 0, seconds = 0;
        for (int last = atom; last >= 0; last = _next[last])
        {
            if (!Grow(part, before, after, last, ref size, ref seconds))
                break;
            int next = _next[last];
            if (next >= 0 && (part.Contains(next) || part.Contains(_graph.ClassAtoms[_graph.ClassOf[next]][0])))
                continue;
            for (int maker = 0; maker < makers; maker++)
            {
                double load = seconds + _cut.LeastSeconds(part, _graph.Makers[atom].Length == 0 ? -1 : _graph.Makers[atom][maker], next);
                for (int left = 1; left <= _graph.Accelerators; left++)
                    _tails[atom][maker][left] = Math.Min(_tails[atom][maker][left], load + After(last, left - 1));
            }
        }
    }

    /// <summary>Least seconds from the end of an atom whose next one on its path is elsewhere.</summary>
    private double After(int atom, int left) => _next[atom] < 0 ? 0 : _tails[_next[atom]][Array.IndexOf(_graph.Makers[_next[atom]], atom)][left];

    /// <summary>Adds an atom, its class, and all that lies between members; false where no accelerator can hold them.</summary>
    private bool Grow(AtomSet part, AtomSet before, AtomSet after, int atom, ref double size, ref double seconds)
    {
        var open = new Stack<int>([atom]);
        while (open.TryPop(out int added))
        {
            if (part.Contains(added))
                continue;
            int number = _graph.ClassOf[added];
            size += _graph.Sizes[number];
            seconds += _graph.AcceleratorSeconds[number];
            if (size > _graph.Memory || !double.IsFinite(seconds))
                return false;
            foreach (int member in _graph.ClassAtoms[number])
            {
                part.Add(member);
                before.UnionWith(_graph.Before[member]);
                after.UnionWith(_graph.After[member]);
            }
            AtomSet between = before.Copy();
            between.IntersectWith(after);
            between.ExceptWith(part);
            for (int other = between.NextFrom(0); other >= 0; other = between.NextFrom(other + 1))
                open.Push(other);
        }
        return true;
    }
}
