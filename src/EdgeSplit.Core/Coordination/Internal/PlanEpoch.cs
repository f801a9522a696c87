using System.Collections.Immutable;
using EdgeSplit.Coordination.Adaptation.Internal;
using EdgeSplit.Models;
using EdgeSplit.Partitioning;
using Microsoft.Extensions.Logging;

namespace EdgeSplit.Coordination.Internal;

/// <summary>A plan that is loaded on its agents. Requests enter and leave it; once closed and left by all it is unloaded.</summary>
internal sealed class PlanEpoch(string modelName, long number, PartitionPlan plan, Func<RequestRoutes> routeAnew, ImmutableArray<StageTarget> targets, TimingRecorder recorder, ILogger logger)
{
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    // One for the deployment, and one for each request.
    private int _users = 1;
    private ImmutableHashSet<AgentEntry> _forgetful = [];
    private readonly Lock _routing = new();
    private volatile RequestRoutes _routes = recorder.Follow(routeAnew());

    public long Number => number;

    public PartitionPlan Plan => plan;

    /// <summary>The ways that tensors take. A request goes by those that it began with.</summary>
    public RequestRoutes Routes => _routes;

    public ImmutableArray<StageTarget> Targets => targets;

    /// <summary>Takes in what the stages take.</summary>
    public TimingRecorder Recorder => recorder;

    /// <summary>The tag that measurements carry, boxed once.</summary>
    public KeyValuePair<string, object?> ModelTag { get; } = new("edgesplit.model.name", modelName);

    /// <summary>The conditions that the plan was made for; null where it was given.</summary>
    public Conditions? MadeFor { get; init; }

    /// <summary>Whether a stage runs on an agent.</summary>
    public bool Uses(AgentEntry agent) => targets.Any(target => target.Agent == agent);

    /// <summary>Whether tensors pass between the coordinator and an agent.</summary>
    public bool UsesLinkTo(AgentEntry agent)
    {
        StageRoute[] stages = _routes.Stages;
        return targets.Where((target, stage) => target.Agent == agent && stages[stage].InputSlots.Length + stages[stage].OutputSlots.Length > 0).Any();
    }

    /// <summary>Whether an agent has handed another tensors within a time.</summary>
    public bool HasDelivered(AgentEntry from, AgentEntry to, TimeSpan within)
    {
        StageRoute[] stages = _routes.Stages;
        for (int stage = 0; stage < stages.Length; stage++)
        {
            if (targets[stage].Agent == from && Array.Exists(stages[stage].DeliveredTo, reader => targets[reader].Agent == to && recorder.Times.Deliveries.SinceLast(stage, reader) < within))
                return true;
        }
        return false;
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

    /// <summary>Waits until every request has left, and unloads the partitions. To be called once, when no request is sent here any more.</summary>
    public async Task CloseAsync()
    {
        Leave();
        await _drained.Task.ConfigureAwait(false);
        await UnloadAsync(targets.Where(target => !_forgetful.Contains(target.Agent)), logger).ConfigureAwait(false);
        logger.EpochUnloaded(modelName, number);
    }

    /// <summary>Unloads partitions as far as their agents can be reached.</summary>
    public static Task UnloadAsync(IEnumerable<StageTarget> targets, ILogger logger) =>
        Task.WhenAll(targets.Select(target => UnloadAsync(target.Agent, target.Partition, logger)));

    private static async Task UnloadAsync(AgentEntry agent, ModelPartition partition, ILogger logger)
    {
        try
        {
            await agent.Agent.UnloadAsync(partition.Id, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            // Whatever keeps one agent from unloading, the others still do, and the model is still closed.
            logger.UnloadFailed(exception, partition.Id, agent.Id);
        }
    }
}
