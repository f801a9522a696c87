using System.Collections.Immutable;
using EdgeSplit.Agents;
using EdgeSplit.Coordination.Internal;
using EdgeSplit.Costs;
using EdgeSplit.Devices;
using EdgeSplit.Models;
using EdgeSplit.Partitioning;
using EdgeSplit.Repositories;
using Microsoft.Extensions.Logging;

namespace EdgeSplit.Coordination;

/// <summary>Splits models over agents, and runs requests on them.</summary>
/// <remarks>Thread-safe. Disposal ends all deployments and disposes of the agents.</remarks>
public sealed class Coordinator : IAsyncDisposable
{
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(5);

    private readonly IModelFormat _format;
    private readonly AgentRegistry _agents = new();
    private readonly SemaphoreSlim _ownAgentLock = new(1);
    private readonly Lock _deploymentsLock = new();
    private readonly List<Deployment> _deployments = [];
    private bool _hasOwnAgent;
    private int _disposed;

    /// <summary>Creates a coordinator without agents.</summary>
    /// <param name="format">Opens the models that are deployed.</param>
    /// <param name="options">How to plan and serve; defaults where null.</param>
    public Coordinator(IModelFormat format, CoordinatorOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(format);
        _format = format;
        Options = options ??= new CoordinatorOptions();
        Logger = options.LoggerFactory.CreateLogger<Coordinator>();
        Window = new AdmissionWindow(options.MaxInFlightRequests, options.MaxQueuedRequests);
    }

    /// <summary>How the coordinator plans and serves.</summary>
    public CoordinatorOptions Options { get; }

    /// <summary>What each agent is, also one that is lost.</summary>
    public ImmutableArray<AgentDescription> Agents => [.. _agents.All.Select(static entry => entry.Description)];

    /// <summary>The deployments that are not disposed of.</summary>
    public ImmutableArray<Deployment> Deployments
    {
        get
        {
            lock (_deploymentsLock)
                return [.. _deployments];
        }
    }

    internal AdmissionWindow Window { get; }

    internal ILogger Logger { get; }

    /// <summary>Counts up with each change of what plans may use.</summary>
    internal int AgentsVersion => _agents.Version;

    /// <summary>
    /// Asks an agent what it is, measures the link to it, and lets later plans use it. From then on it is the coordinator's,
    /// who disposes of it. It replaces an agent of the same id that is lost or does not answer any more.
    /// </summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.AgentUnavailable"/>; <see cref="EdgeSplitError.InvalidArgument"/>:
    /// there is an agent of that id. The agent stays the caller's.</exception>
    public async ValueTask<AgentDescription> AddAgentAsync(IEdgeAgent agent, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(agent);
        ThrowIfDisposed();
        if (agent.Id == Options.Id)
            throw new EdgeSplitException(EdgeSplitError.InvalidArgument, $"'{agent.Id}' is the coordinator's own id. Give the agent, or the coordinator in its options, another one.");
        AgentDescription description = await agent.DescribeAsync(cancellationToken).ConfigureAwait(false);
        description = description with { Device = description.Device with { Id = agent.Id } };
        Link link = Options.Links.GetValueOrDefault((Options.Id, agent.Id)) ?? await LinkMeasurement.MeasureAsync(agent, cancellationToken).ConfigureAwait(false);
        link = Options.Compression?.Choose(link) ?? link;
        if (_agents.Find(agent.Id) is { IsUsable: true } known)
            await CheckAnswersAsync(known, cancellationToken).ConfigureAwait(false);
        AgentEntry? lost = _agents.Add(new AgentEntry(agent, description, link));
        Logger.AgentAdded(agent.Id, description.Runtime, description.Platform, link.Latency, link.BytesPerSecond);
        if (lost is not null)
            await lost.Agent.DisposeAsync().ConfigureAwait(false);
        return description;
    }

    /// <summary>Moves the agent's stages to others, then disposes of the agent. No request is lost.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NotFound"/>; <see cref="EdgeSplitError.NoFeasiblePlan"/>: the
    /// other agents cannot run a deployed model; the agent stays.</exception>
    public async ValueTask RemoveAgentAsync(string id, CancellationToken cancellationToken = default)
    {
        AgentEntry entry = _agents.Find(id) ?? throw new EdgeSplitException(EdgeSplitError.NotFound, $"There is no agent '{id}'.");
        // A lost agent runs nothing that could be moved in good order.
        if (_agents.SetUsable(entry, false))
        {
            try
            {
                foreach (Deployment deployment in Deployments.Where(deployment => deployment.Uses(entry)))
                    await deployment.RepartitionAsync(null, cancellationToken).ConfigureAwait(false);
            }
            catch
            {
                _agents.SetUsable(entry, true);
                throw;
            }
        }
        _agents.Remove(entry);
        await entry.Agent.DisposeAsync().ConfigureAwait(false);
        Logger.AgentRemoved(id);
    }

    /// <summary>The agents that plans may use and the links between them, with the coordinator as the source where reaching them takes time.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NoFeasiblePlan"/>: there is no agent.</exception>
    public FleetDescription DescribeFleet()
    {
        ImmutableArray<AgentEntry> agents = _agents.Usable;
        return agents.IsEmpty
            ? throw new EdgeSplitException(EdgeSplitError.NoFeasiblePlan, $"There is no agent to run layers on. Add one with {nameof(AddAgentAsync)}.")
            : FleetBuilder.Build(agents, Options);
    }

    /// <summary>States what a partitioner has to solve to place a model on the agents as they are now.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NoFeasiblePlan"/>: there is no agent.</exception>
    public async ValueTask<PartitionProblem> CreateProblemAsync(ModelGraph graph, DeploymentOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(graph);
        await EnsureOwnAgentAsync(cancellationToken).ConfigureAwait(false);
        FleetDescription fleet = DescribeFleet();
        bool someReachOthers = Options.Links.Keys.Any(link => link.From != Options.Id && link.To != Options.Id);
        return new PartitionProblem
        {
            Graph = graph,
            Fleet = fleet.Fleet,
            SourceDevice = fleet.SourceDevice,
            RelayDevice = someReachOthers ? -1 : fleet.SourceDevice,
            CostModel = Options.CostModel,
            Constraints = options?.Constraints ?? Options.Constraints,
            RequestsPerSecond = options?.RequestsPerSecond ?? 0,
        };
    }

    /// <summary>Splits a model over the agents, as the partitioner or a ready-made plan decides, and makes it ready for requests.</summary>
    /// <param name="model">The path of a model file, or the name of a model in the repository.</param>
    /// <param name="options">The model's own settings.</param>
    /// <param name="cancellationToken">Stops the deployment; nothing of it is left.</param>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NotFound"/>, <see cref="EdgeSplitError.InvalidModel"/>,
    /// <see cref="EdgeSplitError.UnsupportedModel"/>, <see cref="EdgeSplitError.NoFeasiblePlan"/> or <see cref="EdgeSplitError.ResourceExhausted"/>.</exception>
    public async ValueTask<Deployment> DeployAsync(string model, DeploymentOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(model);
        ThrowIfDisposed();
        options ??= new DeploymentOptions();
        options.Progress?.Report(new DeploymentProgress(DeploymentStep.Opening));
        (string path, string name, bool isStored) = await ResolveAsync(model, options.Name, cancellationToken).ConfigureAwait(false);
        ISplittableModel opened = await _format.OpenAsync(path, cancellationToken).ConfigureAwait(false);
        var deployment = new Deployment(this, name, opened, new EpochStager(name, opened, Options.Repository, _agents, Logger), options);
        try
        {
            if (Options.Repository is { } repository && !isStored)
            {
                options.Progress?.Report(new DeploymentProgress(DeploymentStep.Storing));
                await repository.AddModelAsync(name, path, opened.ExternalFiles, cancellationToken).ConfigureAwait(false);
            }
            await deployment.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await deployment.DisposeAsync().ConfigureAwait(false);
            throw;
        }
        lock (_deploymentsLock)
            _deployments.Add(deployment);
        if (_disposed != 0)
        {
            await deployment.DisposeAsync().ConfigureAwait(false);
            ThrowIfDisposed();
        }
        return deployment;
    }

    /// <summary>Ends all deployments, waits for their requests, and disposes of the agents.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        foreach (Deployment deployment in Deployments)
            await deployment.DisposeAsync().ConfigureAwait(false);
        foreach (AgentEntry entry in _agents.All)
            await entry.Agent.DisposeAsync().ConfigureAwait(false);
    }

    internal void Forget(Deployment deployment)
    {
        lock (_deploymentsLock)
            _deployments.Remove(deployment);
    }

    internal void MarkLost(AgentEntry agent, Exception cause)
    {
        if (_agents.SetUsable(agent, false))
            Logger.AgentLost(cause, agent.Id);
    }

    /// <summary>Lets the partitioner solve a model's problem, from where it is now.</summary>
    /// <param name="name">The model's name.</param>
    /// <param name="graph">The model.</param>
    /// <param name="current">The plan that stays loaded beside the new one until its requests have ended, or null.</param>
    /// <param name="mustServe">
    /// Whether the current plan no longer works: where no plan leaves memory for both, one is taken that fits alone.
    /// </param>
    /// <param name="options">The deployment's settings.</param>
    /// <param name="corrections">What the model's stages and transfers really took so far.</param>
    /// <param name="cancellationToken">Stops the search.</param>
    internal async ValueTask<PartitionPlan> PlanAsync(
        string name, ModelGraph graph, PartitionPlan? current, bool mustServe, DeploymentOptions options, CostCorrections corrections, CancellationToken cancellationToken)
    {
        PartitionProblem problem = corrections.Apply(await CreateProblemAsync(graph, options, cancellationToken).ConfigureAwait(false));
        if (current is not null)
        {
            problem = problem with
            {
                CurrentAssignment = [.. current.Assignment.Select(device => problem.Fleet.IndexOf(current.Fleet.Devices[device].Id))],
                Constraints = problem.Constraints with { HoldsBothEpochs = true },
            };
        }
        IPartitioner partitioner = options.Partitioner ?? Options.Partitioner;
        PartitionPlan plan = await Task.Run(
            () =>
            {
                try
                {
                    return partitioner.Partition(problem, cancellationToken);
                }
                catch (EdgeSplitException exception) when (mustServe && exception.Error == EdgeSplitError.NoFeasiblePlan)
                {
                    return partitioner.Partition(problem with { Constraints = problem.Constraints with { HoldsBothEpochs = false } }, cancellationToken);
                }
            },
            cancellationToken).ConfigureAwait(false);
        // A partitioner may answer cancellation with the best plan so far; nobody waits for it any more.
        cancellationToken.ThrowIfCancellationRequested();
        Logger.Planned(name, plan.Partitioner, plan.Stages.Length, plan.Cost.LatencySeconds, plan.Cost.BottleneckSeconds);
        return plan;
    }

    private async ValueTask<(string Path, string Name, bool IsStored)> ResolveAsync(string model, string? name, CancellationToken cancellationToken)
    {
        if (Options.Repository is { } repository && !File.Exists(model))
        {
            try
            {
                StoredModel stored = await repository.GetModelAsync(model, cancellationToken).ConfigureAwait(false);
                return (stored.Path, stored.Name, true);
            }
            catch (EdgeSplitException exception) when (exception.Error is EdgeSplitError.NotFound or EdgeSplitError.InvalidArgument)
            {
                throw new EdgeSplitException(EdgeSplitError.NotFound, $"'{model}' is neither a model file nor the name of a model in the repository.", exception);
            }
        }
        // A name that any repository takes.
        IEnumerable<char> stem = Path.GetFileNameWithoutExtension(model)
            .Select(static character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.' ? character : '-');
        return (model, name ?? string.Concat(stem).Trim('.'), false);
    }

    private async ValueTask EnsureOwnAgentAsync(CancellationToken cancellationToken)
    {
        if (Options.Runtime is not { } runtime || Volatile.Read(ref _hasOwnAgent))
            return;
        await _ownAgentLock.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_hasOwnAgent)
                return;
            var agent = new EdgeAgent(Options.Id, runtime, new EdgeAgentOptions
            {
                Device = Options.Device,
                BlobStore = Options.Repository?.Blobs,
                MaxConcurrentExecutions = Options.Device?.ConcurrentStages ?? 1,
                TimeProvider = Options.TimeProvider,
                Logger = Options.LoggerFactory.CreateLogger<EdgeAgent>(),
            });
            try
            {
                AgentDescription description = await agent.DescribeAsync(cancellationToken).ConfigureAwait(false);
                _agents.Add(new AgentEntry(agent, description with { Device = description.Device with { IsCoordinator = true } }, Link.Local));
            }
            catch
            {
                await agent.DisposeAsync().ConfigureAwait(false);
                throw;
            }
            Volatile.Write(ref _hasOwnAgent, true);
        }
        finally
        {
            _ownAgentLock.Release();
        }
    }

    /// <summary>Finds out whether an agent can still be reached; nobody may have asked it since it was lost.</summary>
    private async ValueTask CheckAnswersAsync(AgentEntry agent, CancellationToken cancellationToken)
    {
        try
        {
            await agent.Agent.ReportAsync(cancellationToken).AsTask().WaitAsync(AnswerTimeout, Options.TimeProvider, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is EdgeSplitException { Error: EdgeSplitError.AgentUnavailable } or TimeoutException or ObjectDisposedException)
        {
            MarkLost(agent, exception);
        }
    }

    private void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_disposed != 0, this);
}
