using System.Collections.Immutable;
using EdgeSplit.Agents;
using EdgeSplit.Coordination.Adaptation.Internal;
using EdgeSplit.Models;
using EdgeSplit.Partitioning;
using EdgeSplit.Storage;
using Microsoft.Extensions.Logging;

namespace EdgeSplit.Coordination.Internal;

/// <summary>Makes plans of one model ready on their agents, all or nothing.</summary>
internal sealed class EpochStager(
    string modelName, ISplittableModel model, CoordinatorOptions options, AgentRegistry agents, PeerLinks? peers, Func<PartitionPlan, TimingRecorder> recorderOf, ILogger logger)
{
    private readonly ExtractedPartitions _extracted = new(model);

    /// <summary>The unloading of what was loaded for plans that did not come about.</summary>
    public Task Unloading { get; private set; } = Task.CompletedTask;

    /// <summary>
    /// Takes the stages' partitions from the model and loads them, on all machines at once. Where another plan serves and nobody waits, a machine
    /// loads one after the other: so the most that requests share their processors with is one load.
    /// </summary>
    /// <param name="number">The plan's number.</param>
    /// <param name="plan">The plan.</param>
    /// <param name="madeFor">What was known when it was made.</param>
    /// <param name="isUrgent">Whether requests wait for it: then links between agents that are not known yet are measured later, and the coordinator passes tensors on until then.</param>
    /// <param name="progress">Told of each load.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="AgentLostException">An agent could not be reached.</exception>
    public async ValueTask<PlanEpoch> StageAsync(long number, PartitionPlan plan, Conditions? madeFor, bool isUrgent, IProgress<DeploymentProgress>? progress, CancellationToken cancellationToken)
    {
        CheckIsForModel(plan);
        progress?.Report(new DeploymentProgress(DeploymentStep.Loading, 0, plan.Stages.Length));
        ImmutableArray<StageTarget> targets = await ExtractAsync(plan, cancellationToken).ConfigureAwait(false);
        RequestRoutes[] relayed = [.. plan.Routes.Select(route => RoutesOf(route, null))];
        if (peers is not null && !isUrgent)
        {
            await peers.MeasureAsync(
                relayed.SelectMany(routes => routes.Stages.SelectMany((route, stage) => route.OutputSlots.SelectMany(slot => routes.Readers[slot])
                    .Select(reader => (targets[routes.Numbers[stage]].Agent, targets[routes.Numbers[reader]].Agent)))),
                cancellationToken).ConfigureAwait(false);
        }
        RequestRoutes[] RouteAnew() => peers is null ? relayed : [.. plan.Routes.Select(route => RoutesOf(route, new DirectRoutes([.. route.Stages.Select(stage => targets[stage])], peers)))];
        RequestRoutes RoutesOf(PlanRoute route, DirectRoutes? direct) => new(model, [.. route.Stages.Select(stage => targets[stage].Partition)], direct) { Numbers = route.Stages };

        long sentBytes = await LoadAsync(targets, isUrgent, isGentle: number > 1 && !isUrgent, progress, cancellationToken).ConfigureAwait(false);
        logger.EpochLoaded(modelName, number, sentBytes);
        return new PlanEpoch(modelName, number, plan, RouteAnew, targets, recorderOf(plan), logger) { MadeFor = madeFor };
    }

    /// <summary>Takes the stages' partitions from the model.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NotFound"/>: the plan names what is no agent.</exception>
    public async ValueTask<ImmutableArray<StageTarget>> ExtractAsync(PartitionPlan plan, CancellationToken cancellationToken)
    {
        ImmutableArray<AgentEntry> owners = [.. plan.Stages.Select(stage => AgentOf(plan, stage))];
        return await Task.Run<ImmutableArray<StageTarget>>(
            () => [.. owners.Zip(plan.Stages, (owner, stage) =>
            {
                cancellationToken.ThrowIfCancellationRequested();
                return new StageTarget(owner, _extracted.Get(stage.Layers), options.StageWindow);
            })],
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Loads a partition that no plan in use needs yet, or only has its weights fetched.</summary>
    /// <param name="target">The partition and its agent.</param>
    /// <param name="isLoaded">Whether it is loaded, for the caller to unload.</param>
    /// <param name="pace">Slows the source of weights down.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public ValueTask<PartitionLoaded> LoadAheadAsync(StageTarget target, bool isLoaded, Func<IBlobSource, IBlobSource> pace, CancellationToken cancellationToken) =>
        LoadAsync(isLoaded ? target : target with { Partition = target.Partition.WeightsOnly() }, target.Partition, pace, isUrgent: false, cancellationToken);

    /// <summary>Lets an agent fetch weights of partitions that have been loaded somewhere, for plans that may need them there.</summary>
    /// <param name="agent">The agent.</param>
    /// <param name="weights">The weights, each once.</param>
    /// <param name="pace">Slows the source of weights down.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async ValueTask FetchAheadAsync(AgentEntry agent, ImmutableArray<BlobReference> weights, Func<IBlobSource, IBlobSource> pace, CancellationToken cancellationToken)
    {
        var partition = new ModelPartition { Skeleton = default, Blobs = weights, Inputs = [], Outputs = [] };
        IBlobSource blobs = options.Repository is { } repository ? repository.Blobs : model;
        await LoadAsync(agent, partition, pace(blobs), isUrgent: false, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<PartitionLoaded> LoadAsync(StageTarget target, ModelPartition whole, Func<IBlobSource, IBlobSource>? pace, bool isUrgent, CancellationToken cancellationToken)
    {
        IBlobSource blobs = model;
        if (options.Repository is { } repository)
        {
            await repository.AddPartitionAsync(modelName, whole, model, cancellationToken).ConfigureAwait(false);
            blobs = repository.Blobs;
        }
        blobs = pace?.Invoke(blobs) ?? blobs;
        if (target.Partition.IsWeightsOnly)
            return await LoadAsync(target.Agent, target.Partition, blobs, isUrgent, cancellationToken).ConfigureAwait(false);
        // Weights take as long as the link needs, and the agent's stages are as fast as ever meanwhile; building a session takes their processor. Where requests wait, one round trip less counts more.
        long fetched = isUrgent || target.Agent.Held.MissingBytes(target.Partition.Blobs) == 0
            ? 0
            : (await LoadAsync(target.Agent, target.Partition.WeightsOnly(), blobs, isUrgent, cancellationToken).ConfigureAwait(false)).ReceivedBytes;
        target.Agent.CountLoads(1);
        long started = options.TimeProvider.GetTimestamp();
        try
        {
            PartitionLoaded loaded = await LoadAsync(target.Agent, target.Partition, blobs, isUrgent, cancellationToken).ConfigureAwait(false);
            if (loaded.ReceivedBytes == 0)
                target.Agent.LoadTimes.Add(target.Partition.WeightBytes, loaded.LoadTime);
            return loaded with { ReceivedBytes = fetched + loaded.ReceivedBytes };
        }
        catch (OperationCanceledException) when (target.Agent.Held.MissingBytes(target.Partition.Blobs) == 0 && options.TimeProvider.GetElapsedTime(started) > target.Agent.LoadTimes.Predict(target.Partition.WeightBytes))
        {
            // One that was given up takes at least as long.
            target.Agent.LoadTimes.Add(target.Partition.WeightBytes, options.TimeProvider.GetElapsedTime(started));
            throw;
        }
        finally
        {
            target.Agent.CountLoads(-1);
        }
    }

    private async ValueTask<PartitionLoaded> LoadAsync(AgentEntry agent, ModelPartition partition, IBlobSource blobs, bool isUrgent, CancellationToken cancellationToken)
    {
        PartitionLoaded loaded = await agent.Agent.LoadAsync(new ModelPartitionRequest(modelName, partition) { IsUrgent = isUrgent }, blobs, cancellationToken).ConfigureAwait(false);
        agent.Held.Add(partition.Blobs, loaded.ReceivedBytes);
        return loaded;
    }

    private async ValueTask<long> LoadAsync(ImmutableArray<StageTarget> targets, bool isUrgent, bool isGentle, IProgress<DeploymentProgress>? progress, CancellationToken cancellationToken)
    {
        int loaded = 0;
        long sentBytes = 0;
        using var others = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Dictionary<string, SemaphoreSlim>? turns = isGentle ? targets.Select(MachineOf).Distinct().ToDictionary(static machine => machine, static _ => new SemaphoreSlim(1)) : null;
        Task[] loads = [.. targets.Select(target => LoadInTurnAsync(target, turns?[MachineOf(target)]))];
        try
        {
            await Task.WhenAll(loads).ConfigureAwait(false);
            return sentBytes;
        }
        catch
        {
            // Agents may be slow to answer, as those are that a switch is given up for; who gives it up does not wait for them.
            Unloading = Task.WhenAll(Unloading, PlanEpoch.UnloadAsync(targets.Where((_, stage) => loads[stage].IsCompletedSuccessfully), logger));
            cancellationToken.ThrowIfCancellationRequested();
            // The failure that stopped the others, rather than one of those that it stopped.
            await (loads.FirstOrDefault(static load => load.IsFaulted) ?? loads.First(static load => load.IsCanceled)).ConfigureAwait(false);
            throw;
        }

        static string MachineOf(StageTarget target) => target.Agent.Description.HostName is { Length: > 0 } host ? host : target.Agent.Id;

        async Task LoadInTurnAsync(StageTarget target, SemaphoreSlim? turn)
        {
            if (turn is not null)
                await turn.WaitAsync(others.Token).ConfigureAwait(false);
            try
            {
                await LoadOneAsync(target).ConfigureAwait(false);
            }
            finally
            {
                turn?.Release();
            }
        }

        async Task LoadOneAsync(StageTarget target)
        {
            try
            {
                PartitionLoaded answer = await LoadAsync(target, target.Partition, null, isUrgent, others.Token).ConfigureAwait(false);
                progress?.Report(new DeploymentProgress(
                    DeploymentStep.Loading, Interlocked.Increment(ref loaded), targets.Length, Interlocked.Add(ref sentBytes, answer.ReceivedBytes)));
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                await others.CancelAsync().ConfigureAwait(false);
                if (exception is EdgeSplitException { Error: EdgeSplitError.AgentUnavailable } or ObjectDisposedException)
                    throw new AgentLostException(target.Agent, exception);
                throw;
            }
        }
    }

    private AgentEntry AgentOf(PartitionPlan plan, PlanStage stage)
    {
        string id = plan.Fleet.Devices[stage.Device].Id;
        return agents.Find(id) is { } entry ? entry : throw new EdgeSplitException(
            EdgeSplitError.NotFound, $"The plan of model '{modelName}' places stage {stage.Index} on '{id}', which is no agent of this coordinator. Add the agent or plan again.");
    }

    private void CheckIsForModel(PartitionPlan plan)
    {
        ModelGraph graph = model.Graph;
        if (!ReferenceEquals(plan.Graph, graph) && !plan.Graph.Layers.Select(static layer => layer.Name).SequenceEqual(graph.Layers.Select(static layer => layer.Name)))
        {
            throw new EdgeSplitException(
                EdgeSplitError.InvalidArgument, $"The plan is for another model than '{modelName}': its layers ({plan.Graph.Layers.Length}) are not the model's ({graph.Layers.Length}).");
        }
        if (plan.Assignment.Length != graph.Layers.Length || plan.Stages.Any(stage => !IsWithin(stage.Device, plan.Fleet.Devices.Length) || stage.Layers.Any(layer => !IsWithin(layer, graph.Layers.Length)))
            || plan.Routes.Any(route => route.Stages.Any(stage => !IsWithin(stage, plan.Stages.Length))))
        {
            throw new EdgeSplitException(
                EdgeSplitError.InvalidArgument, $"The plan of '{plan.Partitioner}' for model '{modelName}' names layers, devices or stages that do not exist. Let a {nameof(PlanEvaluator)} make plans of assignments.");
        }
    }

    private static bool IsWithin(int index, int count) => index >= 0 && index < count;
}
