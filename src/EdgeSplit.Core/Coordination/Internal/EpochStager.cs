using System.Collections.Immutable;
using EdgeSplit.Agents;
using EdgeSplit.Coordination.Adaptation.Internal;
using EdgeSplit.Models;
using EdgeSplit.Partitioning;
using EdgeSplit.Repositories;
using EdgeSplit.Storage;
using Microsoft.Extensions.Logging;

namespace EdgeSplit.Coordination.Internal;

/// <summary>Makes plans of one model ready on their agents, all or nothing.</summary>
internal sealed class EpochStager(
    string modelName, ISplittableModel model, IModelRepository? repository, AgentRegistry agents, PeerLinks? peers, Func<PartitionPlan, TimingRecorder> recorderOf, ILogger logger)
{
    /// <summary>Takes the stages' partitions from the model and loads them, on all agents at once.</summary>
    /// <exception cref="AgentLostException">An agent could not be reached.</exception>
    public async ValueTask<PlanEpoch> StageAsync(long number, PartitionPlan plan, Conditions? madeFor, IProgress<DeploymentProgress>? progress, CancellationToken cancellationToken)
    {
        CheckIsForModel(plan);
        progress?.Report(new DeploymentProgress(DeploymentStep.Loading, 0, plan.Stages.Length));
        ImmutableArray<AgentEntry> owners = [.. plan.Stages.Select(stage => AgentOf(plan, stage))];
        ModelPartition[] partitions = await Task.Run(
            () => plan.Stages.Select(stage =>
            {
                cancellationToken.ThrowIfCancellationRequested();
                return model.Extract(stage.Layers);
            }).ToArray(),
            cancellationToken).ConfigureAwait(false);
        ImmutableArray<StageTarget> targets = [.. owners.Zip(partitions, static (owner, partition) => new StageTarget(owner, partition))];
        RequestRoutes[] relayed = [.. plan.Routes.Select(route => RoutesOf(route, null))];
        if (peers is not null)
        {
            await peers.MeasureAsync(
                relayed.SelectMany(routes => routes.Stages.SelectMany((route, stage) => route.OutputSlots.SelectMany(slot => routes.Readers[slot])
                    .Select(reader => (owners[routes.Numbers[stage]], owners[routes.Numbers[reader]])))),
                cancellationToken).ConfigureAwait(false);
        }
        RequestRoutes[] RouteAnew() => peers is null ? relayed : [.. plan.Routes.Select(route => RoutesOf(route, new DirectRoutes([.. route.Stages.Select(stage => targets[stage])], peers)))];
        RequestRoutes RoutesOf(PlanRoute route, DirectRoutes? direct) => new(model, [.. route.Stages.Select(stage => partitions[stage])], direct) { Numbers = route.Stages };

        long sentBytes = await LoadAsync(targets, progress, cancellationToken).ConfigureAwait(false);
        logger.EpochLoaded(modelName, number, sentBytes);
        return new PlanEpoch(modelName, number, plan, RouteAnew, targets, recorderOf(plan), logger) { MadeFor = madeFor };
    }

    private async ValueTask<long> LoadAsync(ImmutableArray<StageTarget> targets, IProgress<DeploymentProgress>? progress, CancellationToken cancellationToken)
    {
        int loaded = 0;
        long sentBytes = 0;
        using var others = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task[] loads = [.. targets.Select(LoadOneAsync)];
        try
        {
            await Task.WhenAll(loads).ConfigureAwait(false);
            return sentBytes;
        }
        catch
        {
            await PlanEpoch.UnloadAsync(targets.Where((_, stage) => loads[stage].IsCompletedSuccessfully), logger).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            // The failure that stopped the others, rather than one of those that it stopped.
            await (loads.FirstOrDefault(static load => load.IsFaulted) ?? loads.First(static load => load.IsCanceled)).ConfigureAwait(false);
            throw;
        }

        async Task LoadOneAsync(StageTarget target)
        {
            try
            {
                IBlobSource blobs = model;
                if (repository is not null)
                {
                    await repository.AddPartitionAsync(modelName, target.Partition, model, others.Token).ConfigureAwait(false);
                    blobs = repository.Blobs;
                }
                PartitionLoaded answer = await target.Agent.Agent.LoadAsync(new ModelPartitionRequest(modelName, target.Partition), blobs, others.Token).ConfigureAwait(false);
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
        if (ReferenceEquals(plan.Graph, graph))
            return;
        if (!plan.Graph.Layers.Select(static layer => layer.Name).SequenceEqual(graph.Layers.Select(static layer => layer.Name)))
        {
            throw new EdgeSplitException(
                EdgeSplitError.InvalidArgument, $"The plan is for another model than '{modelName}': its layers ({plan.Graph.Layers.Length}) are not the model's ({graph.Layers.Length}).");
        }
    }
}
