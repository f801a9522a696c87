using System.Collections.Concurrent;
using System.Collections.Immutable;
using EdgeSplit.Coordination.Adaptation;
using EdgeSplit.Coordination.Adaptation.Internal;
using EdgeSplit.Coordination.Membership;
using EdgeSplit.Partitioning;
using Microsoft.Extensions.Logging;

namespace EdgeSplit.Coordination.Internal;

/// <summary>A plan that is loaded on its agents. Requests enter and leave it; once closed and left by all it is unloaded.</summary>
internal sealed class PlanEpoch(string modelName, long number, PartitionPlan plan, Func<RequestRoutes[]> routeAnew, ImmutableArray<StageTarget> targets, TimingRecorder recorder, ILogger logger)
{
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    // One for the deployment, and one for each request.
    private int _users = 1;
    private readonly RequestTurns _turns = new([.. plan.Routes.Select(static route => route.Share)]);
    private ImmutableHashSet<AgentEntry> _forgetful = [];
    private readonly ConcurrentDictionary<AgentEntry, long> _memory = [];
    private readonly Lock _routing = new();
    private readonly CancellationTokenSource _abandoned = new();
    private CancellationTokenRegistration _abandoning;
    private volatile RequestRoutes[] _routes = recorder.Follow(routeAnew());
    private long _requests = -1;

    public long Number => number;

    public PartitionPlan Plan => plan;

    /// <summary>
    /// The ways that the tensors of the next request take, in turn where the plan has several routes. A request goes by those that it began with.
    /// While an agent is lost, those of a route without it.
    /// </summary>
    public RequestRoutes NextRoutes()
    {
        RequestRoutes[] routes = _routes;
        if (routes.Length == 1)
            return routes[0];
        int turn = _turns.Of(Interlocked.Increment(ref _requests));
        for (int i = 0; i < routes.Length; i++)
        {
            RequestRoutes next = routes[(turn + i) % routes.Length];
            if (IsWhole(next))
                return next;
        }
        return routes[turn];
    }

    /// <summary>Whether a request can be served although agents are lost, as others hold copies of their stages.</summary>
    public bool IsServing => Array.Exists(_routes, IsWhole);

    /// <summary>The version of the links between agents that the ways rest on.</summary>
    public int DirectVersion => _routes.Min(static routes => routes.DirectVersion);

    public ImmutableArray<StageTarget> Targets => targets;

    /// <summary>Takes in what the stages take.</summary>
    public TimingRecorder Recorder => recorder;

    /// <summary>The tag that measurements carry, boxed once.</summary>
    public KeyValuePair<string, object?> ModelTag { get; } = new("edgesplit.model.name", modelName);

    /// <summary>The conditions that the plan was made for; null where it was given.</summary>
    public Conditions? MadeFor { get; init; }

    /// <summary>Why the plan stands in until a better one is found, as one is looked for at once; null where it does not.</summary>
    public RepartitionTrigger? StandsInAfter { get; set; }

    /// <summary>Cancelled when no request shall wait for this plan any longer.</summary>
    public CancellationToken Abandoned => _abandoned.Token;

    /// <summary>Stops the requests that run on it, which go on on other threads.</summary>
    public void Abandon() => _ = _abandoned.CancelAsync();

    /// <summary>Abandons it once a token is cancelled.</summary>
    public void AbandonWith(CancellationToken aborted) => _abandoning = aborted.UnsafeRegister(static epoch => ((PlanEpoch)epoch!).Abandon(), this);

    /// <summary>The memory that the plan takes of an agent, in bytes.</summary>
    public long MemoryOn(AgentEntry agent) => _memory.GetOrAdd(agent, agent =>
    {
        int stage = StageOn(agent);
        return stage < 0 ? 0 : PlanMemory.BytesOn(plan.Graph, plan.Routes, plan.Stages[stage].Device);
    });

    /// <summary>The share of an agent's time that its stages have taken of late, from 0 up.</summary>
    public double LoadOn(AgentEntry agent)
    {
        int first = StageOn(agent);
        if (first < 0)
            return 0;
        double busy = targets.Select((target, stage) => target.Agent == agent ? recorder.Times.BusyShare(stage) : 0).Sum();
        return busy / Math.Max(plan.Fleet.Devices[plan.Stages[first].Device].ConcurrentStages, 1);
    }

    /// <summary>Whether a stage runs on an agent.</summary>
    public bool Uses(AgentEntry agent) => StageOn(agent) >= 0;

    private int StageOn(AgentEntry agent)
    {
        for (int stage = 0; stage < targets.Length; stage++)
        {
            if (targets[stage].Agent == agent)
                return stage;
        }
        return -1;
    }

    /// <summary>Whether tensors pass between the coordinator and an agent.</summary>
    public bool UsesLinkTo(AgentEntry agent)
    {
        return Array.Exists(_routes, routes => routes.Stages.Where((route, stage) =>
            targets[routes.Numbers[stage]].Agent == agent && route.PassesTensors).Any());
    }

    /// <summary>Forgets what tensors took between the coordinator and an agent, as after they travel otherwise.</summary>
    public void ForgetTransfers(AgentEntry agent)
    {
        for (int stage = 0; stage < targets.Length; stage++)
        {
            if (targets[stage].Agent == agent)
                recorder.Times.ForgetTransfers(stage);
        }
    }

    /// <summary>Whether an agent has handed another tensors within a time.</summary>
    public bool HasDelivered(AgentEntry from, AgentEntry to, TimeSpan within)
    {
        return Array.Exists(_routes, routes => routes.Stages.Where((route, stage) =>
            targets[routes.Numbers[stage]].Agent == from && Array.Exists(
                route.DeliveredTo,
                reader => targets[routes.Numbers[reader]].Agent == to && recorder.Times.Deliveries.SinceLast(routes.Numbers[stage], routes.Numbers[reader]) < within)).Any());
    }

    /// <summary>The ways of tensors of stages that have answered nothing for long: to an agent and back, or from it to another.</summary>
    public IEnumerable<(AgentEntry Agent, AgentEntry? To)> FindSilentWays()
    {
        foreach (int silent in recorder.Silences.Find())
        {
            foreach (RequestRoutes routes in _routes.Where(routes => routes.Numbers.Contains(silent)))
            {
                StageRoute route = routes.Stages[routes.Numbers.IndexOf(silent)];
                if (route.PassesTensors)
                    yield return (targets[silent].Agent, null);
                foreach (int reader in route.DeliveredTo)
                    yield return (targets[silent].Agent, targets[routes.Numbers[reader]].Agent);
            }
        }
    }

    /// <summary>Counts a request; false once the epoch is closed and empty.</summary>
    public bool TryEnter()
    {
        int users = Volatile.Read(ref _users);
        while (users > 0)
        {
            int seen = Interlocked.CompareExchange(ref _users, users + 1, users);
            if (seen == users)
                return true;
            users = seen;
        }
        return false;
    }

    /// <summary>The requests that run on it, once it is closed.</summary>
    public int Users => Volatile.Read(ref _users);

    public void Leave()
    {
        if (Interlocked.Decrement(ref _users) == 0)
            _drained.SetResult();
    }

    /// <summary>Finds the ways anew, after it has changed which agents reach which others.</summary>
    public void RouteAgain()
    {
        lock (_routing)
            _routes = recorder.Follow(routeAnew());
    }

    /// <summary>
    /// Notes that an agent no longer has what was loaded on it. It is not unloaded there: by now the same partition may be
    /// loaded anew, for the next epoch.
    /// </summary>
    public void NoteForgotten(AgentEntry agent) => ImmutableInterlocked.Update(ref _forgetful, static (set, agent) => set.Add(agent), agent);

    private bool IsWhole(RequestRoutes routes) => routes.Numbers.All(stage => targets[stage].Agent.State != AgentState.Lost && !_forgetful.Contains(targets[stage].Agent));

    /// <summary>Waits until every request has left, and unloads the partitions. To be called once, when no request is sent here any more.</summary>
    public async Task CloseAsync()
    {
        Leave();
        await _drained.Task.ConfigureAwait(false);
        _abandoning.Unregister();
        await UnloadAsync(targets.Where(target => !_forgetful.Contains(target.Agent)), logger).ConfigureAwait(false);
        logger.EpochUnloaded(modelName, number);
    }

    /// <summary>Unloads partitions as far as their agents can be reached.</summary>
    public static Task UnloadAsync(IEnumerable<StageTarget> targets, ILogger logger) =>
        Task.WhenAll(targets.Select(target => UnloadAsync(target.Agent, target.Partition.Id, logger)));

    /// <summary>Unloads a partition if its agent can be reached.</summary>
    public static async Task UnloadAsync(AgentEntry agent, string partitionId, ILogger logger)
    {
        try
        {
            await agent.Agent.UnloadAsync(partitionId, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            // Whatever keeps one agent from unloading, the others still do, and the model is still closed.
            logger.UnloadFailed(exception, partitionId, agent.Id);
        }
    }
}
