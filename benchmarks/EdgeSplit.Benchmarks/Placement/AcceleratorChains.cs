namespace EdgeSplit.Benchmarks.Placement;

/// <summary>
/// The best split in the reference's latency model. As accelerators are invoked once, and atoms on the host run by themselves, each
/// split is a chain of sets that are closed under what comes before: each is the last with one accelerator's atoms or one atom on the host more. Best-first search
/// over such chains (Hart, Nilsson, Raphael, "A Formal Basis for the Heuristic Determination of Minimum Cost Paths", IEEE 1968) keeps of each set the
/// labels that no other beats: accelerators used, and when each value that is still to be read is there (Hansen, "Bicriterion Path Problems", 1980).
/// </summary>
internal sealed class AcceleratorChains
{
    private const double Rounding = 1e-9;
    private readonly AcceleratorGraph _graph;
    private readonly AcceleratorTails _tails;
    private readonly Dictionary<AtomSet, Group> _groups = [];
    private readonly PriorityQueue<Label, (double Bound, int Left)> _queue = new();
    private readonly double[] _times;
    private readonly List<int> _part = [];
    private readonly List<int> _frontier = [];
    private readonly Stack<int> _marks = new();

    /// <summary>Values that are moved to or from the part that grows.</summary>
    private readonly bool[] _isMoved;
    private readonly long _mostSteps;
    private readonly double _haste;
    private Label _from = null!;
    private double _best;
    private Label? _goal;
    private long _steps;
    private double _proven;

    /// <summary>Whether every split is among the chains: not where classes read from each other in a circle, as they are added one by one.</summary>
    private readonly bool _isComplete;

    /// <param name="graph">The workload.</param>
    /// <param name="tails">Least times to the end.</param>
    /// <param name="best">A latency that is known to be possible.</param>
    /// <param name="mostSteps">Parts of splits to look at.</param>
    /// <param name="haste">By how much chains that have far to go are put off; with none the search proves most in the time, with some it finds more.</param>
    public AcceleratorChains(AcceleratorGraph graph, AcceleratorTails tails, double best, long mostSteps, double haste = 0)
    {
        (_graph, _tails, _best, _mostSteps, _haste) = (graph, tails, best, mostSteps, haste);
        _isComplete = !graph.HasClassCycles;
        _times = new double[graph.Count];
        _isMoved = new bool[graph.Count];
    }

    /// <summary>What no split's latency is below.</summary>
    public double LatencyBound => _isComplete ? Math.Max(_proven, _tails.LatencyBound) : _tails.LatencyBound;

    /// <summary>The device of each node of the best split that was found, the host last; null where none is better than the one known.</summary>
    public int[]? Run()
    {
        var nothing = new AtomSet(_graph.Count);
        Group start = _groups[nothing] = new Group(nothing, []);
        var root = new Label(start, [], 0, _tails.LatencyBound, 0, null, false);
        start.Labels.Add(root);
        _queue.Enqueue(root, (root.Bound, 0));
        while (_queue.TryDequeue(out Label? label, out _))
        {
            if (label.IsBeaten)
                continue;
            if (label.Bound >= _best * (1 - Rounding))
                continue;
            if (_haste == 0)
                _proven = Math.Max(_proven, label.Bound);
            Extend(label);
            if (_steps > _mostSteps)
                return Assignment();
        }
        _proven = _best;
        return Assignment();
    }

    private void Extend(Label label)
    {
        _from = label;
        for (int i = 0; i < label.Group.Frontier.Length; i++)
            _times[label.Group.Frontier[i]] = label.Times[i];
        AtomSet done = label.Group.Done;
        for (int atom = 0; atom < _graph.Count; atom++)
        {
            if (!done.Contains(atom) && IsReady(atom, done))
            {
                AtomSet more = done.Copy();
                double latest = RunOnHost(atom, more, label.Latest);
                AddLabel(more, latest, label.Used, isAccelerator: false);
            }
        }
        if (label.Used == _graph.Accelerators)
            return;
        var begun = new AtomSet(_graph.ClassAtoms.Length);
        for (int number = 0; number < _graph.ClassAtoms.Length; number++)
        {
            if (Array.Exists(_graph.ClassAtoms[number], done.Contains))
                begun.Add(number);
        }
        _part.Clear();
        Grow(done.Copy(), 0, 0, 0, 0, begun);
    }

    private bool IsReady(int atom, AtomSet done)
    {
        foreach (int maker in _graph.Makers[atom])
        {
            if (!done.Contains(maker))
                return false;
        }
        return true;
    }

    /// <summary>Runs an atom on the host, and then all that its class and others that are there already can.</summary>
    private double RunOnHost(int atom, AtomSet done, double latest)
    {
        double end = _times[atom] = EndOnHost(atom);
        done.Add(atom);
        return Settle(done, Math.Max(latest, end));
    }

    private double EndOnHost(int atom)
    {
        double end = _graph.HostSecondsAlone[atom];
        for (int i = 0; i < _graph.Makers[atom].Length; i++)
            end = Math.Max(end, _times[_graph.Makers[atom][i]] + _graph.HostSeconds[atom][i]);
        return end;
    }

    /// <summary>The host runs the atoms of classes that it has begun as soon as it can, which costs nothing.</summary>
    private double Settle(AtomSet done, double latest)
    {
        bool isChanged = true;
        while (isChanged)
        {
            isChanged = false;
            foreach (int atom in _graph.AtomsWithMates)
            {
                if (done.Contains(atom) || !Array.Exists(_graph.ClassAtoms[_graph.ClassOf[atom]], done.Contains) || !IsReady(atom, done))
                    continue;
                double end = _times[atom] = EndOnHost(atom);
                latest = Math.Max(latest, end);
                done.Add(atom);
                isChanged = true;
            }
        }
        return latest;
    }

    /// <summary>
    /// Offers every set of classes that one accelerator may take next, each once: classes are added one by one, and those left out stay
    /// out, so that values which they read must be sent.
    /// </summary>
    /// <param name="done">What is done with the part.</param>
    /// <param name="start">When the part's inputs are there.</param>
    /// <param name="seconds">What the part takes, values that are sent for sure included.</param>
    /// <param name="tail">The least time from the part's end, as far as known.</param>
    /// <param name="size">Bytes of the part.</param>
    /// <param name="left">Classes that are in the part, left out, or begun elsewhere.</param>
    private void Grow(AtomSet done, double start, double seconds, double tail, double size, AtomSet left)
    {
        int marks = _marks.Count;
        for (int number = 0; number < _graph.ClassAtoms.Length; number++)
        {
            if (_steps > _mostSteps || left.Contains(number) || size + _graph.Sizes[number] > _graph.Memory || !IsReadyAsAWhole(number, done))
                continue;
            left.Add(number);
            Include(number, done, start, seconds, tail, size, left);
            if (!LeaveOut(number, start, ref seconds, ref tail))
                break;
        }
        Unmark(marks);
    }

    private void Include(int number, AtomSet done, double start, double seconds, double tail, double size, AtomSet left)
    {
        _steps++;
        int marks = _marks.Count;
        int[] atoms = _graph.ClassAtoms[number];
        seconds += _graph.AcceleratorSeconds[number];
        foreach (int atom in atoms)
        {
            _part.Add(atom);
            foreach (int maker in _graph.Makers[atom])
            {
                if (!_from.Group.Done.Contains(maker) || !Mark(maker))
                    continue;
                start = Math.Max(start, _times[maker]);
                seconds += _graph.Costs[maker];
            }
            for (int i = 0; i < _graph.Readers[atom].Length; i++)
            {
                int reader = _graph.Readers[atom][i];
                if (_graph.ClassOf[reader] == number || !left.Contains(_graph.ClassOf[reader]))
                    continue;
                seconds += Mark(atom) ? _graph.Costs[atom] : 0;
                tail = Math.Max(tail, _tails.From(reader, _graph.Positions[atom][i], _graph.Accelerators - _from.Used - 1));
            }
        }
        if (start + seconds + tail < _best * (1 - Rounding))
        {
            foreach (int atom in atoms)
                done.Add(atom);
            OfferPart(done, start, seconds);
            Grow(done, start, seconds, tail, size + _graph.Sizes[number], left.Copy());
            foreach (int atom in atoms)
                done.Remove(atom);
        }
        Unmark(marks);
        _part.RemoveRange(_part.Count - atoms.Length, atoms.Length);
    }

    /// <summary>Counts what leaving out a class costs; false where that is too much.</summary>
    private bool LeaveOut(int number, double start, ref double seconds, ref double tail)
    {
        foreach (int atom in _graph.ClassAtoms[number])
        {
            for (int i = 0; i < _graph.Makers[atom].Length; i++)
            {
                int maker = _graph.Makers[atom][i];
                double after = _tails.From(atom, i, _graph.Accelerators - _from.Used - 1);
                if (_from.Group.Done.Contains(maker))
                {
                    if (_times[maker] + after >= _best * (1 - Rounding))
                        return false;
                }
                else if (_graph.ClassOf[maker] != number)
                {
                    seconds += Mark(maker) ? _graph.Costs[maker] : 0;
                    tail = Math.Max(tail, after);
                }
            }
        }
        return start + seconds + tail < _best * (1 - Rounding);
    }

    /// <summary>Notes that a value is moved to or from the part; false where that is known already.</summary>
    private bool Mark(int value)
    {
        if (_isMoved[value])
            return false;
        _isMoved[value] = true;
        _marks.Push(value);
        return true;
    }

    private void Unmark(int count)
    {
        while (_marks.Count > count)
            _isMoved[_marks.Pop()] = false;
    }

    private bool IsReadyAsAWhole(int number, AtomSet done)
    {
        foreach (int atom in _graph.ClassAtoms[number])
        {
            foreach (int maker in _graph.Makers[atom])
            {
                if (!done.Contains(maker) && _graph.ClassOf[maker] != number)
                    return false;
            }
        }
        return true;
    }

    private void OfferPart(AtomSet done, double start, double seconds)
    {
        double end = start + seconds;
        double tail = 0;
        int left = _graph.Accelerators - _from.Used - 1;
        foreach (int atom in _part)
        {
            bool isSent = false;
            for (int i = 0; i < _graph.Readers[atom].Length; i++)
            {
                if (done.Contains(_graph.Readers[atom][i]))
                    continue;
                isSent = true;
                tail = Math.Max(tail, _tails.From(_graph.Readers[atom][i], _graph.Positions[atom][i], left));
            }
            end += isSent && !_isMoved[atom] ? _graph.Costs[atom] : 0;
        }
        if (end + tail >= _best * (1 - Rounding))
            return;
        foreach (int atom in _part)
            _times[atom] = end;
        AtomSet more = done.Copy();
        AddLabel(more, Settle(more, Math.Max(_from.Latest, end)), _from.Used + 1, isAccelerator: true);
    }

    private void AddLabel(AtomSet done, double latest, int used, bool isAccelerator)
    {
        double bound = Math.Max(latest, _from.Bound);
        double limit = _best * (1 - Rounding);
        int left = _graph.Accelerators - used;
        _frontier.Clear();
        for (int atom = done.NextFrom(0); atom >= 0; atom = done.NextFrom(atom + 1))
        {
            bool isOpen = false;
            for (int i = 0; i < _graph.Readers[atom].Length; i++)
            {
                if (done.Contains(_graph.Readers[atom][i]))
                    continue;
                isOpen = true;
                bound = Math.Max(bound, _times[atom] + _tails.From(_graph.Readers[atom][i], _graph.Positions[atom][i], left));
            }
            if (bound >= limit)
                return;
            if (isOpen)
                _frontier.Add(atom);
        }
        if (!_groups.TryGetValue(done, out Group? group))
            _groups.Add(done, group = new Group(done, [.. _frontier]));
        var label = new Label(group, [.. group.Frontier.Select(atom => _times[atom])], latest, bound, used, _from, isAccelerator);
        if (!group.Offer(label))
            return;
        int remaining = _graph.Count - done.Count;
        if (remaining == 0)
        {
            (_best, _goal) = (latest, label);
            return;
        }
        _queue.Enqueue(label, (bound * (1 + (_haste * remaining / _graph.Count)), remaining));
    }

    private int[]? Assignment()
    {
        if (_goal is null)
            return null;
        var devices = new int[_graph.Count];
        for (Label label = _goal; label.Parent is Label parent; label = parent)
        {
            for (int atom = label.Group.Done.NextFrom(0); atom >= 0; atom = label.Group.Done.NextFrom(atom + 1))
            {
                if (parent.Group.Done.Contains(atom))
                    continue;
                // Classes that the host has begun stay there.
                bool isOnHost = !label.IsAccelerator || Array.Exists(_graph.ClassAtoms[_graph.ClassOf[atom]], parent.Group.Done.Contains);
                devices[atom] = isOnHost ? _graph.Accelerators : label.Used - 1;
            }
        }
        return [.. _graph.AtomOf.Select(atom => devices[atom])];
    }

    /// <summary>The labels of one set.</summary>
    private sealed class Group(AtomSet done, int[] frontier)
    {
        public AtomSet Done { get; } = done;

        /// <summary>Its atoms whose values are still to be read.</summary>
        public int[] Frontier { get; } = frontier;

        public List<Label> Labels { get; } = [];

        /// <summary>Adds a label unless another is as good; takes out those that it beats.</summary>
        public bool Offer(Label label)
        {
            foreach (Label other in Labels)
            {
                if (other.Beats(label))
                    return false;
            }
            for (int i = Labels.Count - 1; i >= 0; i--)
            {
                if (!label.Beats(Labels[i]))
                    continue;
                Labels[i].IsBeaten = true;
                Labels.RemoveAt(i);
            }
            Labels.Add(label);
            return true;
        }
    }

    /// <param name="Group">The set that is done.</param>
    /// <param name="Times">When the values that are still to be read are there, in the order of the frontier.</param>
    /// <param name="Latest">When all of the set is done.</param>
    /// <param name="Bound">What no split that goes on from here ends before.</param>
    /// <param name="Used">Accelerators in use.</param>
    /// <param name="Parent">The label before.</param>
    /// <param name="IsAccelerator">Whether the last step was an accelerator's.</param>
    private sealed record Label(Group Group, double[] Times, double Latest, double Bound, int Used, Label? Parent, bool IsAccelerator)
    {
        public bool IsBeaten { get; set; }

        public bool Beats(Label other)
        {
            if (Used > other.Used || Latest > other.Bound)
                return false;
            for (int i = 0; i < Times.Length; i++)
            {
                if (Times[i] > other.Times[i])
                    return false;
            }
            return true;
        }
    }
}
