using System.Collections.Concurrent;
using System.Collections.Immutable;
using EdgeSplit.Coordination.Internal;
using EdgeSplit.Partitioning;
using EdgeSplit.Storage;
using EdgeSplit.Storage.Internal;

namespace EdgeSplit.Coordination.Adaptation.Internal;

/// <summary>Keeps ready what takes over when an agent is lost that a deployment's plan needs.</summary>
/// <remarks>What it has loaded stays until another plan has stood for a while, so that a loss finds it.</remarks>
internal sealed class Standby(Coordinator coordinator, Deployment deployment, EpochStager stager, StandbyOptions options)
{
    private readonly TimeProvider _time = coordinator.Options.TimeProvider;
    private readonly ConcurrentDictionary<(AgentEntry Agent, string PartitionId), long> _loaded = [];
    private volatile CancellationTokenSource _hurry = new();
    private PlanEpoch? _epoch;
    private int _agentsVersion;
    private ImmutableArray<(AgentEntry Lost, StandbyPlan Plan)> _plans = [];
    private Task _preparing = Task.CompletedTask;
    private Task _spreading = Task.CompletedTask;
    private CancellationTokenSource? _spread;

    /// <summary>What is done if an agent is lost, for each that was prepared for; nothing while the plan in use is too young.</summary>
    public ImmutableArray<StandbyPlan> Plans => _epoch == deployment.CurrentEpoch ? [.. _plans.Select(static prepared => prepared.Plan)] : [];

    /// <summary>Prepares where the plan or the agents have changed; never called twice at the same time.</summary>
    public void Tick(PlanEpoch epoch, TimeSpan inUse, CancellationToken cancellationToken)
    {
        if (!_preparing.IsCompleted)
            return;
        if (_loaded.Keys.Any(static key => key.Agent.IsShortOfMemory))
        {
            _preparing = ReleaseAsync(static key => key.Agent.IsShortOfMemory);
            _epoch = null; // Where it fits no more, the weights alone do.
            return;
        }
        int version = coordinator.AgentsVersion;
        if (inUse < options.Delay || (_epoch == epoch && _agentsVersion == version))
            return;
        if (_epoch != epoch)
            _plans = [];
        (_epoch, _agentsVersion) = (epoch, version);
        _preparing = Task.Run(() => PrepareAsync(epoch, cancellationToken), CancellationToken.None);
    }

    /// <summary>The plan to serve with at once after a loss: the one that was prepared, else one that is found now. What is under way for it gets all of the links.</summary>
    /// <param name="failed">The plan that cannot go on.</param>
    /// <param name="lost">Why.</param>
    /// <param name="problem">The problem as it is now, with the failed plan as the one in use.</param>
    public PartitionPlan? Find(PlanEpoch failed, AgentEntry lost, PartitionProblem problem)
    {
        _ = _hurry.CancelAsync();
        var evaluator = new PlanEvaluator(problem);
        return _epoch == failed && _plans.FirstOrDefault(prepared => prepared.Lost == lost).Plan is { } prepared && Renew(evaluator, prepared.Plan) is { } plan
            ? plan
            : TakeOver.Find(evaluator, problem.CurrentAssignment);
    }

    /// <summary>The best of the plans that are loaded beside the one in use; null where there is none.</summary>
    /// <param name="epoch">The plan in use.</param>
    /// <param name="problem">The problem as it is now.</param>
    public PartitionPlan? FindLoaded(PlanEpoch epoch, PartitionProblem problem)
    {
        if (_epoch != epoch)
            return null;
        var evaluator = new PlanEvaluator(problem);
        return _plans.Where(static prepared => prepared.Plan.Readiness == StandbyReadiness.Loaded)
            .Select(prepared => Renew(evaluator, prepared.Plan.Plan)).OfType<PartitionPlan>().MinBy(static plan => plan.Objective);
    }

    /// <summary>A plan for the problem as it is now; null where that is not feasible.</summary>
    internal static PartitionPlan? Renew(PlanEvaluator evaluator, PartitionPlan plan)
    {
        ImmutableArray<PlanRoute> routes = plan.RoutesIn(evaluator.Problem.Fleet);
        return !routes.Any(static route => route.Assignment.Contains(-1)) && evaluator.Evaluate(routes).IsFeasible ? evaluator.Create(routes, plan.Partitioner) : null;
    }

    /// <summary>Waits for what is done in the background, which its cancellation has ended, and lets everything go. Called once.</summary>
    public async Task EndAsync()
    {
        await _preparing.ConfigureAwait(false);
        await StopSpreadingAsync().ConfigureAwait(false);
        await ReleaseAsync(static _ => true).ConfigureAwait(false);
    }

    private async Task PrepareAsync(PlanEpoch epoch, CancellationToken cancellationToken)
    {
        try
        {
            await StopSpreadingAsync().ConfigureAwait(false);
            _hurry = new CancellationTokenSource();
            PartitionProblem problem = await deployment.CreateProblemAsync(epoch.Plan, cancellationToken).ConfigureAwait(false);
            _plans = problem.IsCurrentComplete ? [.. PlanLosses(epoch, problem)] : [];
            if (options.Readiness == StandbyReadiness.Planned)
                return;
            var targets = new List<(int Plan, ImmutableArray<StageTarget> Targets)>();
            for (int plan = 0; plan < _plans.Length; plan++)
            {
                ImmutableArray<StageTarget> all = await stager.ExtractAsync(_plans[plan].Plan.Plan, cancellationToken).ConfigureAwait(false);
                targets.Add((plan, [.. all.Where(target => !epoch.Targets.Any(target.IsSameAs))]));
            }
            HashSet<(AgentEntry, string)> needed = [.. targets.SelectMany(static entry => entry.Targets).Select(KeyOf)];
            await ReleaseAsync(key => !needed.Contains(key)).ConfigureAwait(false);
            Dictionary<StageTarget, Task<StandbyReadiness>> ready = ReadyAll(targets.SelectMany(static entry => entry.Targets).Distinct(), problem, cancellationToken);
            await Task.WhenAll(targets.Select(async entry =>
            {
                StandbyReadiness[] reached = await Task.WhenAll(entry.Targets.Select(target => ready[target])).ConfigureAwait(false);
                SetReadiness(entry.Plan, reached.Length == 0 ? StandbyReadiness.Loaded : reached.Min());
            })).ConfigureAwait(false);
            StartSpreading(epoch, cancellationToken);
            coordinator.Logger.StandbyReady(deployment.Name, epoch.Number, _plans.Count(static prepared => prepared.Plan.Readiness == StandbyReadiness.Loaded), _plans.Length);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The deployment ends.
        }
        catch (Exception exception)
        {
            // What is known by now serves; the next change of the agents or of the plan tries again.
            coordinator.Logger.StandbyFailed(exception, deployment.Name, epoch.Number);
        }
    }

    private IEnumerable<(AgentEntry Lost, StandbyPlan Plan)> PlanLosses(PlanEpoch epoch, PartitionProblem problem)
    {
        var evaluator = new PlanEvaluator(problem);
        IEnumerable<AgentEntry> agents = epoch.Targets.Select((target, stage) => (target.Agent, Seconds: epoch.Plan.Stages[stage].PredictedSeconds))
            .Where(static stage => !stage.Agent.Description.Device.IsCoordinator)
            .GroupBy(static stage => stage.Agent)
            .OrderByDescending(static stages => stages.Sum(static stage => stage.Seconds)).Take(options.MostAgents).Select(static stages => stages.Key);
        foreach (AgentEntry lost in agents)
        {
            int device = problem.Fleet.IndexOf(lost.Id);
            // Copies of its stages serve on.
            if (problem.CurrentRoutes.Any(route => !route.Assignment.Contains(device)))
                continue;
            ImmutableArray<int> left = [.. problem.CurrentAssignment.Select(used => used == device ? -1 : used)];
            if (TakeOver.Find(evaluator, left, device) is { } plan)
                yield return (lost, new StandbyPlan(lost.Id, problem.Fleet.Devices[plan.Assignment[left.IndexOf(-1)]].Id, plan, StandbyReadiness.Planned));
        }
    }

    /// <summary>Brings partitions onto their agents: on each one after the other, on all side by side.</summary>
    private Dictionary<StageTarget, Task<StandbyReadiness>> ReadyAll(IEnumerable<StageTarget> targets, PartitionProblem problem, CancellationToken cancellationToken)
    {
        var ready = new Dictionary<StageTarget, Task<StandbyReadiness>>();
        foreach (IGrouping<AgentEntry, StageTarget> agent in targets.GroupBy(static target => target.Agent))
        {
            Task last = Task.CompletedTask;
            foreach (StageTarget target in agent)
                last = ready[target] = ReadyAfterAsync(last, target);
        }
        return ready;

        async Task<StandbyReadiness> ReadyAfterAsync(Task earlier, StageTarget target)
        {
            await earlier.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return await ReadyAsync(target, problem, cancellationToken).ConfigureAwait(false);
        }
    }

    private void SetReadiness(int plan, StandbyReadiness readiness) =>
        ImmutableInterlocked.Update(ref _plans, plans => plans.SetItem(plan, (plans[plan].Lost, plans[plan].Plan with { Readiness = readiness })));

    /// <summary>Brings a partition onto its agent, as far as the agent's memory allows.</summary>
    private async ValueTask<StandbyReadiness> ReadyAsync(StageTarget target, PartitionProblem problem, CancellationToken cancellationToken)
    {
        if (_loaded.ContainsKey(KeyOf(target)))
            return StandbyReadiness.Loaded;
        // For a plan that is no more in use there is nothing to stand by; what the next one needs comes first.
        if (_epoch != deployment.CurrentEpoch)
            return StandbyReadiness.Planned;
        bool isLoaded = options.Readiness == StandbyReadiness.Loaded && Fits(target, problem);
        try
        {
            await stager.LoadAheadAsync(target, isLoaded, source => Pace(source, target.Agent), cancellationToken).ConfigureAwait(false);
        }
        catch (EdgeSplitException exception)
        {
            coordinator.Logger.StandbyFailed(exception, deployment.Name, _epoch!.Number);
            return StandbyReadiness.Planned;
        }
        if (!isLoaded)
            return StandbyReadiness.Fetched;
        _loaded[KeyOf(target)] = target.Partition.WeightBytes;
        return StandbyReadiness.Loaded;
    }

    /// <summary>Begins to send the whole model's weights to those that later plans may use. That may take long, and gives way to the next preparation.</summary>
    private void StartSpreading(PlanEpoch epoch, CancellationToken cancellationToken)
    {
        ImmutableArray<BlobReference> weights = [.. epoch.Targets.SelectMany(static target => target.Partition.Blobs).DistinctBy(static blob => blob.Hash)];
        if (weights.Sum(static blob => blob.ByteCount) > options.SpreadBytes)
            return;
        _spread = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        CancellationToken token = _spread.Token;
        IEnumerable<AgentEntry> agents = coordinator.UsableAgents.Where(static agent => !agent.Description.Device.IsCoordinator)
            .OrderByDescending(static agent => agent.Device.FlopsPerSecond * (1 - agent.EffectiveLoad)).Take(options.MostAgents);
        _spreading = Task.WhenAll(agents.Select(SpreadToAsync));

        async Task SpreadToAsync(AgentEntry agent)
        {
            try
            {
                await stager.FetchAheadAsync(agent, weights, source => Pace(source, agent), token).ConfigureAwait(false);
            }
            catch (Exception) when (token.IsCancellationRequested)
            {
                // What has arrived stays there.
            }
            catch (Exception exception)
            {
                coordinator.Logger.StandbyFailed(exception, deployment.Name, epoch.Number);
            }
        }
    }

    private async Task StopSpreadingAsync()
    {
        if (_spread is null)
            return;
        await _spread.CancelAsync().ConfigureAwait(false);
        await _spreading.ConfigureAwait(false);
        _spread.Dispose();
        _spread = null;
    }

    /// <summary>Leaves the rest of an agent's link to tensors.</summary>
    private IBlobSource Pace(IBlobSource source, AgentEntry agent) => PacedBlobSource.ForShare(source, agent.Link, options.LinkShare, _time, _hurry.Token);

    private bool Fits(StageTarget target, PartitionProblem problem)
    {
        if (target.Agent.IsShortOfMemory)
            return false;
        long standing = _loaded.Where(pair => pair.Key.Agent == target.Agent).Sum(static pair => pair.Value);
        int device = problem.Fleet.IndexOf(target.Agent.Id);
        // What stands by already is no longer among what the agent reports as free.
        double free = target.Agent.LatestReport?.Resources.AvailableMemoryBytes + standing ?? double.PositiveInfinity;
        double planned = (double)problem.Fleet.Devices[device].MemoryBytes - PlanMemory.BytesOn(problem.Graph, problem.CurrentRoutes, device);
        return standing + target.Partition.WeightBytes <= options.MemoryShare * Math.Min(free, planned);
    }

    private async Task ReleaseAsync(Func<(AgentEntry Agent, string PartitionId), bool> isUnneeded)
    {
        (AgentEntry Agent, string PartitionId)[] unneeded = [.. _loaded.Keys.Where(isUnneeded)];
        foreach ((AgentEntry Agent, string PartitionId) key in unneeded)
            _loaded.TryRemove(key, out _);
        await Task.WhenAll(unneeded.Where(static key => key.Agent.State != Membership.AgentState.Lost)
            .Select(key => PlanEpoch.UnloadAsync(key.Agent, key.PartitionId, coordinator.Logger))).ConfigureAwait(false);
    }

    private static (AgentEntry Agent, string PartitionId) KeyOf(StageTarget target) => (target.Agent, target.Partition.Id);
}
