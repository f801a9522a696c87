using EdgeSplit.Costs;

namespace EdgeSplit.Partitioning.Internal;

/// <summary>Runs the searches one after the other on one problem, each from the best that was found so far.</summary>
internal sealed class Portfolio
{
    /// <summary>Problems of more units than this are not tried exactly.</summary>
    private const int MostExactUnits = 120;

    /// <summary>Single devices that are tried, the fastest first.</summary>
    private const int MostSingleDevices = 64;

    /// <summary>Single devices from which what does not fit is moved elsewhere.</summary>
    private const int MostRelievedDevices = 2;

    private const int MostOrders = 12;

    private const int AnnealingRounds = 4;

    private const int MostBoundaries = 400;

    /// <summary>Above this many devices the pipelines of a dynamic program leave too many out.</summary>
    private const int ManyDevices = 16;

    /// <summary>Steps that the dynamic program may take on one order.</summary>
    private const long MostPipelineSteps = 20_000_000;

    /// <summary>Steps of the dynamic program that take as long as one unit of the budget.</summary>
    private const int StepsPerWork = 8;

    /// <summary>Above this many units the minimum cuts of single devices take too long.</summary>
    private const int MostPackedUnits = 1500;

    /// <summary>A budget below that of so many steps for each unit and value is better spent on other searches.</summary>
    private const long PackingWork = 12_000;

    /// <summary>Splits by prices of memory that are tried.</summary>
    private const int MostPricedSplits = 8;

    private const double Rounding = 1e-9;

    private readonly PlacementModel _model;
    private readonly PlacementUnits _units;
    private readonly SearchState _state;
    private readonly WorkBudget _budget;
    private readonly Incumbent _incumbent = new();
    private readonly Random _random;
    private readonly double _acceptedGap;
    private readonly LowerBounds _bounds;
    private readonly DeviceKinds _kinds;
    private readonly int[][] _fastest;
    private readonly List<(double Objective, int[] Assignment)> _candidates = [];
    private readonly HashSet<double> _improved = [];
    private double _provenObjective;

    public Portfolio(PlacementModel model, WorkBudget budget, double acceptedGap)
    {
        _model = model;
        _units = new PlacementUnits(model);
        _state = new SearchState(model, _units);
        _budget = budget;
        _acceptedGap = acceptedGap;
        _random = new Random(model.Problem.Seed);
        _kinds = new DeviceKinds(model, _units);
        _bounds = new LowerBounds(model, _units, _kinds);
        _fastest = _kinds.FastestFirst(_units);
    }

    public ReadOnlySpan<int> Best => _incumbent.Assignment;

    /// <summary>What no plan's objective can be below.</summary>
    public double LowerBound => Math.Min(Math.Max(_bounds.Objective, _provenObjective), _incumbent.Objective);

    private bool IsDone => _budget.IsOver || IsProven;

    private bool IsProven => _incumbent.Objective <= LowerBound * (1 + Math.Max(_acceptedGap, Rounding));

    /// <summary>
    /// Searches until the plan is proven, or the budget is spent. What it takes to set the problem up and to split its own order once does not
    /// count, so that large problems too get a plan that is worth having.
    /// </summary>
    public void Run()
    {
        Start();
        var orders = new TopologicalOrders(_model, _units);
        if (!IsProven)
            TryOrder(orders.Given());
        if (!IsProven && _model.Measures != PlanMeasures.Bottleneck)
            TryCuts();
        if (!IsProven && MemoryPricedPath.IsWorthwhile(_model))
            PriceMemory();
        ImproveCandidates(2);
        if (!IsDone && _units.Count <= MostExactUnits)
            _provenObjective = new BranchAndBound(_state, _bounds, _kinds, _budget.Part(0.4), _incumbent).Run();
        PackDevices();
        for (int order = 1; order < MostOrders && !IsDone; order++)
        {
            TryOrder(order switch
            {
                1 => orders.Late(null),
                2 => orders.DepthFirst(null),
                _ => order % 2 == 0 ? orders.DepthFirst(_random) : orders.Late(_random),
            });
            ImproveCandidates(1);
        }
        while (!IsDone)
        {
            _state.Loads.Reset(_incumbent.Assignment);
            new Annealing(_state, _budget, _random).Run(_incumbent, Math.Max(1000, _budget.Total / AnnealingRounds));
            Improve(_incumbent.Assignment);
        }
    }

    /// <summary>Better plans and bounds for the bottleneck, from what single devices can take.</summary>
    private void PackDevices()
    {
        if (IsDone || !_model.Measures.HasFlag(PlanMeasures.Bottleneck) || _kinds.Members.Length > ManyDevices)
            return;
        _bounds.ProveBottleneck(new ClusterBound(_model, _units, _kinds).Raise(_bounds.BottleneckSeconds, _budget.Part(0.2)));
        if (_units.Count > MostPackedUnits || PackingWork * (_units.Count + _model.Graph.ValueCount) > _budget.Total)
            return;
        double[] prices = [.. Enumerable.Range(0, _units.Count).Select(_bounds.CheapestPriced)];
        if (!IsDone && _model.Measures == PlanMeasures.Bottleneck && _model.DeviceCount <= ManyDevices)
            new DevicePacking(_state, _kinds, prices).Run(_incumbent, _bounds.BottleneckSeconds, _budget.Part(0.4));
        if (IsDone)
            return;
        _state.Loads.Reset(_incumbent.Assignment);
        var packing = new PackingBound(_model, _units, _kinds, prices);
        packing.Add(_incumbent.Assignment, _kinds);
        _bounds.ProveBottleneck(packing.Raise(_bounds.BottleneckSeconds, _state.Loads.Bottleneck(), _budget.Part(0.85)));
    }

    /// <summary>Finds something feasible: the current plan, one device, or the layer-wise split.</summary>
    private void Start()
    {
        if (_model.CurrentAssignment.Length > 0)
            Improve(_model.CurrentAssignment);
        var assignment = new int[_model.LayerCount];
        int tried = 0;
        foreach (int device in _fastest.Take(MostSingleDevices).Select(static kind => kind[0]))
        {
            if (_incumbent.Exists && (IsProven || _budget.IsOver))
                return;
            Array.Fill(assignment, device);
            if (!Enumerable.Range(0, _units.Count).All(unit => _units.IsAllowed(unit, device)))
                continue;
            if (tried++ < MostRelievedDevices)
            {
                AddCandidate(assignment);
                continue;
            }
            _state.Loads.Reset(assignment);
            if (_state.IsFeasible())
                _incumbent.OfferBetter(_state);
        }
        int[] layerwise = LayerwiseSplit.Of(_state);
        if (_incumbent.Exists)
            AddCandidate(layerwise);
        else
            FeasibilityRepair.Require(_state, layerwise);
        _incumbent.OfferBetter(_state);
    }

    /// <summary>A bound of the latency that knows the devices' memory, and plans near it.</summary>
    private void PriceMemory()
    {
        var path = new MemoryPricedPath(_model, _units, _bounds.Paths);
        var reserve = new double[_model.DeviceCount];
        _state.Loads.Reset(_incumbent.Assignment);
        double latency = _state.Score.Cost(PlanMeasures.Latency).LatencySeconds;
        path.Run(reserve, latency, MostPricedSplits);
        _bounds.ProveLatency(path.LatencySeconds * (1 - Rounding));
        if (path.Splits.Count == 0)
            return;
        // Values beside the path take memory too, about as much in the next splits as in this one.
        (_, int[] assignment, double[] held) = path.Splits[0];
        _state.Loads.Reset(assignment);
        for (int device = 0; device < reserve.Length; device++)
            reserve[device] = Math.Max(0, _state.NeededBytes(device) - held[device]);
        path.Run(reserve, latency, MostPricedSplits);
        foreach ((_, int[] split, _) in path.Splits.ToArray())
            AddCandidate(split);
    }

    private void TryCuts()
    {
        foreach (int[] assignment in TwoDeviceCuts.Of(_state))
        {
            if (_budget.IsOver)
                return;
            AddCandidate(assignment);
        }
    }

    private void TryOrder(int[][] blocks)
    {
        var segments = new ContiguousSegments(_model, _units, blocks, PipelineSplit.AffordableBoundaries(_fastest, MostPipelineSteps, MostBoundaries));
        if (_improved.Count > 0)
            _budget.Spend(segments.Work);
        foreach (int[] split in Splits(segments))
        {
            AddCandidate(split);
            if (_budget.IsOver)
                return;
        }
    }

    private void AddCandidate(int[] assignment)
    {
        long before = _state.Work;
        bool isFeasible = FeasibilityRepair.Start(_state, assignment);
        if (_improved.Count > 0)
            _budget.Spend(_state.Work - before);
        if (!isFeasible)
            return;
        _incumbent.OfferBetter(_state);
        _candidates.Add((_state.Objective(), [.. _state.Loads.Assignment]));
    }

    /// <summary>Local search from the best candidates that have not been improved yet.</summary>
    private void ImproveCandidates(int count)
    {
        _candidates.Sort(static (first, second) => first.Objective.CompareTo(second.Objective));
        foreach ((double objective, int[] assignment) in _candidates.Take(count))
        {
            if (!IsDone && _improved.Add(objective))
                Improve(assignment);
        }
        _candidates.Clear();
    }

    private IEnumerable<int[]> Splits(ContiguousSegments segments)
    {
        var pipeline = new PipelineSplit(_model, segments, _fastest, MostPipelineSteps);
        bool bottleneck = _model.Measures.HasFlag(PlanMeasures.Bottleneck) || _model.Measures.HasFlag(PlanMeasures.LoadImbalance);
        bool others = _model.Measures != PlanMeasures.Bottleneck;
        double least = 0;
        if (bottleneck)
        {
            CountPipeline();
            if (pipeline.Solve(minimiseSum: false) is int[] balanced)
            {
                yield return balanced;
                least = _state.Loads.Bottleneck();
            }
            if (_model.DeviceCount > ManyDevices && GreedyPipeline.Solve(_model, segments, [.. _fastest.SelectMany(static kind => kind)]) is int[] greedy)
                yield return greedy;
        }
        if (!others)
            yield break;
        // Between the least bottleneck and the least latency lie the splits that a mix of both may prefer.
        double[] limits = bottleneck && least > 0 ? [double.PositiveInfinity, 3 * least, 2 * least, 1.5 * least, 1.2 * least] : [double.PositiveInfinity];
        foreach (double limit in limits)
        {
            CountPipeline();
            if (pipeline.Solve(minimiseSum: true, limit) is int[] fast)
                yield return fast;
        }

        void CountPipeline()
        {
            if (_improved.Count > 0)
                _budget.Spend(pipeline.Work / StepsPerWork);
        }
    }

    /// <summary>Local search from an assignment.</summary>
    private void Improve(ReadOnlySpan<int> assignment)
    {
        if (!FeasibilityRepair.Start(_state, assignment))
            return;
        _incumbent.OfferBetter(_state);
        var search = new LocalSearch(_state);
        while (!_budget.IsOver && search.Pass(_budget))
        {
        }
        _incumbent.OfferBetter(_state);
    }
}
