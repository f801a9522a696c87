using System.Collections.Concurrent;
using System.Collections.Immutable;
using EdgeSplit.Agents;
using EdgeSplit.Compression;
using EdgeSplit.Coordination.Adaptation;
using EdgeSplit.Coordination.Adaptation.Internal;
using EdgeSplit.Coordination.Internal;
using EdgeSplit.Coordination.Membership;
using EdgeSplit.Costs;
using EdgeSplit.Devices;
using EdgeSplit.Models;
using EdgeSplit.Partitioning;
using EdgeSplit.Repositories;
using EdgeSplit.Tensors;
using Microsoft.Extensions.Logging;

namespace EdgeSplit.Coordination;

/// <summary>Splits models over agents, and runs requests on them.</summary>
/// <remarks>Thread-safe. Disposal ends all deployments and disposes of the agents.</remarks>
public sealed class Coordinator : IAsyncDisposable
{
    // As many as a plan of a few agents can use; those of many would take more than they tell.
    private const int MostOthersLookedAt = 16;
    private static readonly TimeSpan IdleAfter = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RestoreAgentsTimeout = TimeSpan.FromSeconds(5);

    private readonly IModelFormat _format;
    private readonly AgentRegistry _agents;
    private readonly SemaphoreSlim _ownAgentLock = new(1);
    private readonly Lock _deploymentsLock = new();
    private readonly List<Deployment> _deployments = [];
    private readonly Lock _watchLock = new();
    private readonly DecisionLog _decisions;
    private readonly LinkProber? _prober;
    private readonly ConcurrentQueue<WatchedLink> _slowLinks = [];
    private readonly PeerLinks? _peers;
    private readonly CancellationTokenSource _lifetime = new();
    private AgentWatch? _watch;
    private Task _lookingForPeers = Task.CompletedTask;
    private bool _isTickDue;
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
        _agents = new AgentRegistry(options.TimeProvider, options.Membership);
        _agents.Changed += status => Tell(AgentChanged, status);
        _decisions = new DecisionLog(options.Adaptation?.KeptDecisions ?? new AdaptationOptions().KeptDecisions);
        _prober = options.Adaptation is { ProbeBytesPerSecond: > 0 } adaptation ? new LinkProber(adaptation, options.Membership.ReportInterval, options.TimeProvider) : null;
        _peers = options.ForwardsDirectly ? new PeerLinks(options, Logger) : null;
        Window = new AdmissionWindow(options.MaxInFlightRequests, options.MaxQueuedRequests);
    }

    /// <summary>How the coordinator plans and serves.</summary>
    public CoordinatorOptions Options { get; }

    /// <summary>What each agent is, also one that is lost.</summary>
    public ImmutableArray<AgentDescription> Agents => [.. _agents.All.Select(static entry => entry.Description)];

    /// <summary>What each agent may be used for and what it told last, also of one that is lost.</summary>
    public ImmutableArray<AgentStatus> AgentStates => [.. _agents.All.Select(static entry => entry.ToStatus())];

    /// <summary>Raised when an agent comes, goes, or may be used for something else. Handlers return soon.</summary>
    public event EventHandler<AgentStatus>? AgentChanged;

    /// <summary>Counts up with each change of the agents that plans may use, for <see cref="WaitForAgentsAsync"/>.</summary>
    public int AgentsVersion => _agents.Version;

    /// <summary>The deployments that are not disposed of.</summary>
    public ImmutableArray<Deployment> Deployments
    {
        get
        {
            lock (_deploymentsLock)
                return [.. _deployments];
        }
    }

    /// <summary>The last decisions for or against another plan, oldest first.</summary>
    public ImmutableArray<RepartitionDecision> Decisions => _decisions.Decisions;

    /// <summary>Raised with each decision. Handlers return soon.</summary>
    public event EventHandler<RepartitionDecision>? DecisionMade;

    /// <summary>Requests that are worked on now.</summary>
    public int InFlightRequests => Window.InFlight;

    /// <summary>Requests that wait for their turn now.</summary>
    public int QueuedRequests => Window.Queued;

    /// <summary>Raised when a request has ended, whichever way, on the thread that ends it. Handlers return at once and throw nothing.</summary>
    public event EventHandler<RequestOutcome>? RequestEnded;

    internal AdmissionWindow Window { get; }

    private long LeastFreeMemoryBytes => Options.Adaptation?.LeastFreeMemoryBytes ?? 0;

    internal ILogger Logger { get; }

    /// <summary>The agents that plans may use.</summary>
    internal ImmutableArray<AgentEntry> UsableAgents => _agents.Usable;

    /// <summary>What is known of the agents, for plans that are made from now on.</summary>
    internal async ValueTask<Conditions> ObserveAsync(CancellationToken cancellationToken)
    {
        await PrepareProblemAsync(cancellationToken).ConfigureAwait(false);
        return Observe();
    }

    /// <summary>What is known of the agents, once there is a plan.</summary>
    internal Conditions Observe() => new(AgentsVersion, UsableAgents, _peers);

    /// <summary>The links between agents; null where the coordinator passes everything on.</summary>
    internal PeerLinks? Peers => _peers;

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
        if (_agents.Find(agent.Id) is { State: not AgentState.Lost } known)
            await CheckAnswersAsync(known, cancellationToken).ConfigureAwait(false);
        var entry = new AgentEntry(agent, description, link, Options.Compression);
        AgentEntry? lost = _agents.Add(entry);
        Watch();
        Logger.AgentAdded(agent.Id, description.Runtime, description.Platform, link.Latency, link.BytesPerSecond);
        if (entry.State == AgentState.Quarantined)
            Logger.AgentQuarantined(agent.Id, entry.Reason);
        if (lost is not null)
            _ = DisposeOfAsync(lost);
        return description;
    }

    /// <summary>Moves the agent's stages to others, then disposes of the agent. No request is lost.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NotFound"/>; <see cref="EdgeSplitError.NoFeasiblePlan"/>: the
    /// other agents cannot run a deployed model; the agent stays.</exception>
    public async ValueTask RemoveAgentAsync(string id, CancellationToken cancellationToken = default)
    {
        AgentEntry entry = Find(id);
        await DrainAsync(entry, "it is being removed", cancellationToken).ConfigureAwait(false);
        _agents.Remove(entry);
        await entry.Agent.DisposeAsync().ConfigureAwait(false);
        Logger.AgentRemoved(id);
    }

    /// <summary>Moves the agent's stages to others and lets plans leave it out until <see cref="ResumeAgent"/>. No request is lost.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NotFound"/>; <see cref="EdgeSplitError.NoFeasiblePlan"/>: the
    /// other agents cannot run a deployed model; the agent stays in use.</exception>
    public async ValueTask DrainAgentAsync(string id, CancellationToken cancellationToken = default)
    {
        AgentEntry entry = Find(id);
        await DrainAsync(entry, "someone asked that plans leave it out", cancellationToken).ConfigureAwait(false);
        Logger.AgentDrained(id);
    }

    /// <summary>Lets plans use an agent again that was drained, or is in quarantine. One that is lost must be added anew.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NotFound"/>; <see cref="EdgeSplitError.AgentUnavailable"/>: it is lost.</exception>
    public void ResumeAgent(string id)
    {
        AgentEntry entry = Find(id);
        if (!_agents.Move(entry, AgentState.Draining, AgentState.Available, "") && !_agents.Move(entry, AgentState.Quarantined, AgentState.Available, "") && entry.State == AgentState.Lost)
            throw new EdgeSplitException(EdgeSplitError.AgentUnavailable, $"Agent '{id}' is lost: {entry.Reason}. It is available again when it reconnects.");
    }

    /// <summary>The agents that plans may use, less what deployed models take of them, and the links between them, with the coordinator as the source where reaching them takes time.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NoFeasiblePlan"/>: there is no agent.</exception>
    public FleetDescription DescribeFleet() => DescribeFleet(null);

    private FleetDescription DescribeFleet(Deployment? deployment)
    {
        ImmutableArray<AgentEntry> agents = _agents.Usable;
        return agents.IsEmpty
            ? throw new EdgeSplitException(EdgeSplitError.NoFeasiblePlan, $"There is no agent to run layers on. Add one with {nameof(AddAgentAsync)}.")
            : FleetBuilder.Build(agents, Options, _peers, new DeviceShares(deployment, Deployments, LeastFreeMemoryBytes));
    }

    /// <summary>States what a partitioner has to solve to place a model on the agents as they are now.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NoFeasiblePlan"/>: there is no agent.</exception>
    public async ValueTask<PartitionProblem> CreateProblemAsync(ModelGraph graph, DeploymentOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(graph);
        await PrepareProblemAsync(cancellationToken).ConfigureAwait(false);
        return CreateProblem(graph, options, null);
    }

    /// <summary>The same for a model that may be deployed already, whose own use of the agents does not count.</summary>
    internal async ValueTask<PartitionProblem> CreateProblemAsync(ModelGraph graph, DeploymentOptions options, Deployment deployment, CancellationToken cancellationToken)
    {
        await PrepareProblemAsync(cancellationToken).ConfigureAwait(false);
        return CreateProblem(graph, options, deployment);
    }

    /// <summary>The same from what is known by now.</summary>
    internal PartitionProblem CreateProblem(ModelGraph graph, DeploymentOptions? options, Deployment? deployment)
    {
        FleetDescription fleet = DescribeFleet(deployment);
        return new PartitionProblem
        {
            Graph = graph,
            Fleet = fleet.Fleet,
            SourceDevice = fleet.SourceDevice,
            RelayDevice = fleet.SourceDevice,
            DirectPairs = FleetBuilder.DirectPairs(fleet.Fleet, Options, _peers),
            CostModel = Options.CostModel,
            Constraints = options?.Constraints ?? Options.Constraints,
            RequestsPerSecond = options?.RequestsPerSecond ?? 0,
            MeasuredLayerSeconds = options?.MeasuredLayerSeconds ?? ImmutableDictionary<string, ImmutableArray<double>>.Empty,
        };
    }

    private async ValueTask PrepareProblemAsync(CancellationToken cancellationToken)
    {
        await EnsureOwnAgentAsync(cancellationToken).ConfigureAwait(false);
        if (_peers is not null)
            await _peers.MeasureAllAsync(_agents.Usable, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Measures a model's layers on every agent that plans may use, side by side, for <see cref="DeploymentOptions.MeasuredLayerSeconds"/>.</summary>
    /// <param name="model">The model.</param>
    /// <param name="inputs">What to run it with, borrowed until the task completes.</param>
    /// <param name="options">How to measure; defaults where null.</param>
    /// <param name="progress">Told the share of the work done on all agents, from 0 to 1.</param>
    /// <param name="cancellationToken">Stops the measurement.</param>
    /// <exception cref="EdgeSplitException">What loading or running a part of the model on an agent throws.</exception>
    public async ValueTask<ImmutableDictionary<string, ImmutableArray<double>>> ProfileAsync(
        ISplittableModel model, IReadOnlyDictionary<string, Tensor> inputs, AgentProfilerOptions? options = null, IProgress<double>? progress = null, CancellationToken cancellationToken = default)
    {
        ThrowIfDisposed();
        await EnsureOwnAgentAsync(cancellationToken).ConfigureAwait(false);
        var profiler = new AgentProfiler(options);
        ImmutableArray<AgentEntry> agents = _agents.Usable;
        var shares = new SharedProgress(progress, agents.Length);
        ImmutableArray<double>[] seconds = await Task.WhenAll(agents.Select((entry, index) => Task.Run(
            () => profiler.ProfileAsync(model, entry.Agent, inputs, shares.Part(index), cancellationToken).AsTask(), cancellationToken))).ConfigureAwait(false);
        return agents.Select((entry, index) => KeyValuePair.Create(entry.Id, seconds[index])).ToImmutableDictionary();
    }

    /// <summary>Splits a model over the agents, as the partitioner or a ready-made plan decides, and makes it ready for requests.</summary>
    /// <param name="model">The path of a model file, or the name of a model in the repository.</param>
    /// <param name="options">The model's own settings.</param>
    /// <param name="cancellationToken">Stops the deployment; nothing of it is left.</param>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NotFound"/>, <see cref="EdgeSplitError.InvalidModel"/>,
    /// <see cref="EdgeSplitError.UnsupportedModel"/>, <see cref="EdgeSplitError.NoFeasiblePlan"/> or <see cref="EdgeSplitError.ResourceExhausted"/>;
    /// <see cref="EdgeSplitError.InvalidArgument"/>: the plan that the options give is none for the model;
    /// <see cref="EdgeSplitError.Internal"/>: the partitioner failed.</exception>
    public async ValueTask<Deployment> DeployAsync(string model, DeploymentOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(model);
        return await DeployAsync(model, options ?? new DeploymentOptions(), null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits until the agents that plans may use are no longer as they were at a version.</summary>
    /// <param name="version">What <see cref="AgentsVersion"/> was, read before the agents were looked at.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task WaitForAgentsAsync(int version, CancellationToken cancellationToken = default) => _agents.WaitForChangeAsync(version).WaitAsync(cancellationToken);

    /// <summary>
    /// Deploys again what was deployed when a coordinator with this repository ended, whether it was disposed of or killed. Deployments
    /// that were themselves disposed of are not among it. Each model waits for the agents that it ran on, which so keep what
    /// they have loaded; where they do not all come, it is planned anew for those that did.
    /// </summary>
    /// <param name="agentsTimeout">How long to wait for all the agents that a model ran on; 5 seconds where null. While those that
    /// are there cannot run it at all, <see cref="CoordinatorOptions.CapacityTimeout"/> is waited for others.</param>
    /// <param name="optionsOf">The options of a model by its name; defaults where null. Where they give no rate of requests or measured times, the
    /// stored ones are used; a name in them is not looked at.</param>
    /// <param name="cancellationToken">Stops it; what is deployed by then stays.</param>
    /// <returns>The deployments, those among them that this coordinator had already left out.</returns>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidArgument"/>: the options name no repository; or what
    /// <see cref="DeployAsync(string, DeploymentOptions?, CancellationToken)"/> throws: models that can be deployed all the same are.</exception>
    public async ValueTask<ImmutableArray<Deployment>> RestoreAsync(
        TimeSpan? agentsTimeout = null, Func<string, DeploymentOptions>? optionsOf = null, CancellationToken cancellationToken = default)
    {
        ThrowIfDisposed();
        IModelRepository repository = RepositoryToRestoreFrom();
        var restoring = new List<Task<Deployment>>();
        await foreach (StoredDeployment stored in repository.ListDeploymentsAsync(cancellationToken).ConfigureAwait(false))
        {
            if (Deployments.Any(deployment => deployment.Name == stored.ModelName))
                continue;
            DeploymentOptions options = optionsOf?.Invoke(stored.ModelName) ?? new DeploymentOptions();
            restoring.Add(RestoreAsync(stored.ModelName, stored, options with { Name = stored.ModelName }, agentsTimeout, cancellationToken).AsTask());
        }
        return [.. await Task.WhenAll(restoring).ConfigureAwait(false)];
    }

    /// <summary>
    /// Deploys one model again as it was when a coordinator with this repository ended, or anew where the repository knows of no
    /// deployment of it.
    /// </summary>
    /// <param name="model">The path of a model file, which takes the place of the stored one, or the name of a model in the repository.</param>
    /// <param name="options">The model's own settings. Where they give no rate of requests or measured times, the stored ones are used.</param>
    /// <param name="agentsTimeout">How long to wait for all the agents that it ran on; 5 seconds where null.</param>
    /// <param name="cancellationToken">Stops it; nothing of it is left.</param>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidArgument"/>: the options name no repository; or as of
    /// <see cref="DeployAsync(string, DeploymentOptions?, CancellationToken)"/>.</exception>
    public async ValueTask<Deployment> RestoreAsync(
        string model, DeploymentOptions? options = null, TimeSpan? agentsTimeout = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(model);
        ThrowIfDisposed();
        options ??= new DeploymentOptions();
        IModelRepository repository = RepositoryToRestoreFrom();
        (_, string name, _) = await ResolveAsync(model, options.Name, cancellationToken).ConfigureAwait(false);
        await foreach (StoredDeployment stored in repository.ListDeploymentsAsync(cancellationToken).ConfigureAwait(false))
        {
            if (stored.ModelName == name)
                return await RestoreAsync(model, stored, options, agentsTimeout, cancellationToken).ConfigureAwait(false);
        }
        return await DeployAsync(model, options, null, cancellationToken).ConfigureAwait(false);
    }

    private ValueTask<Deployment> RestoreAsync(
        string model, StoredDeployment stored, DeploymentOptions options, TimeSpan? agentsTimeout, CancellationToken cancellationToken) => DeployAsync(
        model,
        options with
        {
            RequestsPerSecond = options.RequestsPerSecond > 0 ? options.RequestsPerSecond : stored.RequestsPerSecond,
            MeasuredLayerSeconds = options.MeasuredLayerSeconds.IsEmpty ? stored.MeasuredLayerSeconds.ToImmutableDictionary() : options.MeasuredLayerSeconds,
        },
        new FormerPlan(stored.Assignment, agentsTimeout ?? RestoreAgentsTimeout) { Routes = stored.Routes },
        cancellationToken);

    private IModelRepository RepositoryToRestoreFrom() => Options.Repository
        ?? throw new EdgeSplitException(EdgeSplitError.InvalidArgument, $"Only a coordinator with a repository can restore what it had deployed. Set {nameof(CoordinatorOptions)}.{nameof(CoordinatorOptions.Repository)}.");

    private async ValueTask<Deployment> DeployAsync(string model, DeploymentOptions options, FormerPlan? former, CancellationToken cancellationToken)
    {
        ThrowIfDisposed();
        options.Progress?.Report(new DeploymentProgress(DeploymentStep.Opening));
        (string path, string name, bool isStored) = await ResolveAsync(model, options.Name, cancellationToken).ConfigureAwait(false);
        ISplittableModel opened = await _format.OpenAsync(path, cancellationToken).ConfigureAwait(false);
        var corrections = new CostCorrections();
        var stager = new EpochStager(name, opened, Options, _agents, _peers, plan => new TimingRecorder(plan, corrections, _peers, Options.Id, Options.TimeProvider), Logger);
        var deployment = new Deployment(this, name, opened, stager, corrections, options);
        try
        {
            if (Options.Repository is { } repository && !isStored)
            {
                options.Progress?.Report(new DeploymentProgress(DeploymentStep.Storing));
                await repository.AddModelAsync(name, path, opened.ExternalFiles, cancellationToken).ConfigureAwait(false);
            }
            await deployment.StartAsync(former, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await deployment.EndAsync(forGood: false).ConfigureAwait(false);
            throw;
        }
        lock (_deploymentsLock)
            _deployments.Add(deployment);
        FitWindow();
        if (_disposed != 0)
        {
            await deployment.EndAsync(forGood: false).ConfigureAwait(false);
            ThrowIfDisposed();
        }
        return deployment;
    }

    /// <summary>Ends all deployments, waits for their requests (<see cref="CoordinatorOptions.DrainTimeout"/>), and disposes of the agents. The deployments stay in the repository, for <see cref="RestoreAsync(TimeSpan?, Func{string, DeploymentOptions}?, CancellationToken)"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await _lifetime.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(Deployments.Select(static deployment => deployment.EndAsync(forGood: false).AsTask())).ConfigureAwait(false);
        // Until then it finds agents that do not answer any more, which requests would wait for.
        AgentWatch? watch;
        lock (_watchLock)
            watch = _watch;
        if (watch is not null)
            await watch.DisposeAsync().ConfigureAwait(false);
        foreach (AgentEntry entry in _agents.All)
            await entry.Agent.DisposeAsync().ConfigureAwait(false);
    }

    internal void Forget(Deployment deployment)
    {
        lock (_deploymentsLock)
            _deployments.Remove(deployment);
        FitWindow();
    }

    /// <summary>
    /// Lets as many requests in as the windows of all stages of all plans hold. More would only wait on the agents, where they cannot
    /// be put off any more.
    /// </summary>
    internal void FitWindow()
    {
        int useful = 0;
        foreach (Deployment deployment in Deployments)
        {
            if (deployment.CurrentEpoch?.Plan is { } plan)
                useful += plan.Stages.Sum(stage => Options.StageWindow * plan.Fleet.Devices[stage.Device].ConcurrentStages);
        }
        Window.Limit(useful == 0 ? int.MaxValue : useful);
    }

    /// <summary>Gives an agent up that does not answer any more: what waits for it fails, and what ran on it moves to others at once.</summary>
    internal void MarkLost(AgentEntry agent, Exception cause)
    {
        if (!_agents.Lose(agent, cause.Message))
            return;
        Logger.AgentLost(cause, agent.Id);
        foreach (Deployment deployment in Deployments)
            deployment.OnAgentLost(agent, cause);
        agent.Agent.Abandon($"Agent '{agent.Id}' is lost: {cause.Message}");
    }

    /// <summary>Tells of a request that has ended, where someone listens.</summary>
    internal void OnRequestEnded(string model, long epoch, TimeSpan latency, ImmutableArray<StageTiming> stages, string? error)
    {
        if (RequestEnded is { } handlers)
            Tell(handlers, new RequestOutcome(model, epoch, Options.TimeProvider.GetUtcNow(), latency, stages, error));
    }

    /// <summary>
    /// Takes over what the link to an agent has become. What transfers took before corrects it no more; where tensors travel encoded otherwise from now
    /// on, nothing that they took so far tells anything.
    /// </summary>
    internal void Revise(AgentEntry agent, Link link)
    {
        ActivationEncoding before = agent.Encoding;
        agent.Revise(link);
        foreach (Deployment deployment in Deployments)
        {
            deployment.Corrections.ForgetTransfers(Options.Id, agent.Id);
            if (agent.Encoding != before)
                deployment.CurrentEpoch?.ForgetTransfers(agent);
        }
    }

    /// <summary>The same of the link from one agent to another.</summary>
    internal void Revise(AgentEntry from, AgentEntry to, Link link)
    {
        _peers!.Revise(from, to, link);
        foreach (Deployment deployment in Deployments)
            deployment.Corrections.ForgetTransfers(from.Id, to.Id);
    }

    /// <summary>Lets tensors that a stage could not hand to other agents pass through the coordinator from now on.</summary>
    internal void Relay(PlanEpoch epoch, StageFailedException failure)
    {
        Logger.PeerNotReached(failure.Agent.Id, "another", failure.Message);
        foreach (StageTarget target in epoch.Targets.Where(target => _peers?.IsDirect(failure.Agent, target.Agent) ?? false))
            _peers!.Break(failure.Agent, target.Agent);
        epoch.RouteAgain();
    }

    /// <summary>Keeps a decision, logs it and tells of it.</summary>
    internal void Note(RepartitionDecision decision)
    {
        RepartitionDecision kept = _decisions.Add(decision);
        if (kept.Switched)
            Logger.Repartitioned(kept.Model, kept.Epoch, kept.Cause, kept.Reason);
        else if (kept.Repetitions == 1)
            Logger.PlanKept(kept.Model, kept.Epoch, kept.Cause, kept.Reason);
        Tell(DecisionMade, kept);
    }

    /// <summary>Tells each handler of an event; one that throws stops neither the others nor the coordinator.</summary>
    private void Tell<T>(EventHandler<T>? handlers, T what)
    {
        foreach (EventHandler<T> handler in Delegate.EnumerateInvocationList(handlers))
        {
            try
            {
                handler(this, what);
            }
            catch (Exception exception)
            {
                Logger.HandlerFailed(exception, typeof(T).Name);
            }
        }
    }

    /// <summary>Lets the partitioner solve a model's problem.</summary>
    /// <param name="name">The model's name.</param>
    /// <param name="problem">The problem.</param>
    /// <param name="mustServe">
    /// Whether the plan in use no longer works: where no plan leaves memory for both, one is taken that fits alone.
    /// </param>
    /// <param name="partitioner">What solves it.</param>
    /// <param name="cancellationToken">Stops the search.</param>
    internal async ValueTask<PartitionPlan> PlanAsync(string name, PartitionProblem problem, bool mustServe, IPartitioner partitioner, CancellationToken cancellationToken)
    {
        PartitionPlan plan = await Task.Run(
            () =>
            {
                try
                {
                    return Solve(partitioner, problem, cancellationToken);
                }
                catch (EdgeSplitException exception) when (mustServe && exception.Error == EdgeSplitError.NoFeasiblePlan)
                {
                    return Solve(partitioner, problem with { Constraints = problem.Constraints with { HoldsBothEpochs = false } }, cancellationToken);
                }
            },
            cancellationToken).ConfigureAwait(false);
        // A partitioner may answer cancellation with the best plan so far; nobody waits for it any more.
        cancellationToken.ThrowIfCancellationRequested();
        Logger.Planned(name, plan.Partitioner, plan.Stages.Length, plan.Cost.LatencySeconds, plan.Cost.BottleneckSeconds);
        return plan;
    }

    /// <summary>Partitioners and cost models are the user's: whatever they throw or give, requests and deployments fail with a clear error.</summary>
    private static PartitionPlan Solve(IPartitioner partitioner, PartitionProblem problem, CancellationToken cancellationToken)
    {
        try
        {
            return partitioner.Partition(problem, cancellationToken)
                ?? throw new EdgeSplitException(EdgeSplitError.Internal, $"The partitioner '{partitioner.Name}' gave no plan for model '{problem.Graph.Name}'. Where there is none it throws {nameof(EdgeSplitError.NoFeasiblePlan)}.");
        }
        catch (Exception exception) when (exception is not (EdgeSplitException or OperationCanceledException))
        {
            throw new EdgeSplitException(
                EdgeSplitError.Internal, $"The partitioner '{partitioner.Name}' failed on model '{problem.Graph.Name}' with cost model '{problem.CostModel.Name}': {exception.GetType().Name}: {exception.Message}", exception);
        }
    }

    private AgentEntry Find(string id) => _agents.Find(id) ?? throw new EdgeSplitException(EdgeSplitError.NotFound, $"There is no agent '{id}'.");

    private async ValueTask DrainAsync(AgentEntry entry, string reason, CancellationToken cancellationToken)
    {
        // One that plans do not use runs nothing that could be moved in good order.
        if (!_agents.Move(entry, AgentState.Available, AgentState.Draining, reason))
            return;
        try
        {
            foreach (Deployment deployment in Deployments.Where(deployment => deployment.Uses(entry)))
                await deployment.RepartitionAsync(null, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            _agents.Move(entry, AgentState.Draining, AgentState.Available, "");
            throw;
        }
    }

    /// <summary>Disposes of an agent that another has taken the place of; nobody waits for its farewell.</summary>
    private async Task DisposeOfAsync(AgentEntry lost)
    {
        try
        {
            await lost.Agent.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            Logger.DisposeFailed(exception, lost.Id);
        }
    }

    private void OnTick(bool isInterval)
    {
        ImmutableArray<Deployment> deployments = Deployments;
        PlanEpoch[] epochs = [.. deployments.Select(static deployment => deployment.CurrentEpoch).OfType<PlanEpoch>()];
        _prober?.Suspect(epochs.SelectMany(FindSilentLinks), _slowLinks.Enqueue, _lifetime.Token);
        while (_slowLinks.TryDequeue(out WatchedLink? slow))
        {
            _isTickDue = true;
            _prober?.Suspect(FindOthersOf(slow), _slowLinks.Enqueue, _lifetime.Token);
            foreach (Deployment deployment in deployments)
            {
                deployment.Adapter?.GiveUpOvertaken(slow);
                deployment.StandIn?.Consider(slow, deployment.Lifetime);
            }
        }
        if (isInterval || _isTickDue)
        {
            // Once it is known whether something stands in, another plan is looked for.
            _isTickDue = deployments.Any(static deployment => deployment.StandIn is { Running.IsCompleted: false });
            foreach (Deployment deployment in deployments.Where(static deployment => deployment.StandIn is null or { Running.IsCompleted: true }))
                deployment.Adapter?.Tick(deployment.Lifetime);
        }
        if (!isInterval)
            return;
        _prober?.Tick(FindIdleLinks(epochs), _lifetime.Token);
        if (_peers is null)
            return;
        foreach (PlanEpoch epoch in epochs.Where(epoch => epoch.DirectVersion != _peers.Version))
            epoch.RouteAgain();
        if (Options.Adaptation is not null && _lookingForPeers.IsCompleted)
            _lookingForPeers = LookForPeersAsync(_peers);
    }

    /// <summary>The links over which no plan's tensors go, and those between agents over which none has gone of late.</summary>
    private List<WatchedLink> FindIdleLinks(PlanEpoch[] epochs)
    {
        ImmutableArray<AgentEntry> usable = _agents.Usable;
        List<WatchedLink> idle = [.. LinkProber.Idle(usable, entry => Array.Exists(epochs, epoch => epoch.UsesLinkTo(entry)), Revise)];
        if (_peers is null)
            return idle;
        foreach (((AgentEntry from, AgentEntry to), Link? link) in _peers.Known.OrderBy(static pair => pair.Key.From.Id).ThenBy(static pair => pair.Key.To.Id))
        {
            if (link is not null && usable.Contains(from) && usable.Contains(to) && !Array.Exists(epochs, epoch => epoch.HasDelivered(from, to, IdleAfter)))
                idle.Add(new WatchedLink.BetweenAgents(_peers, from, to, Revise));
        }
        return idle;
    }

    /// <summary>
    /// The links that tensors of stages are on which have answered nothing for long. Where agents hand tensors to each other also those to both of them:
    /// they tell whether all that one sends and receives is slow.
    /// </summary>
    private IEnumerable<WatchedLink> FindSilentLinks(PlanEpoch epoch)
    {
        foreach ((AgentEntry agent, AgentEntry? to) in epoch.FindSilentWays())
        {
            if (agent.Link != Link.Local)
                yield return new WatchedLink.ToAgent(agent, Revise);
            if (to is null)
                continue;
            if (to.Link != Link.Local)
                yield return new WatchedLink.ToAgent(to, Revise);
            if (_peers?.Find(agent, to) is not null)
                yield return new WatchedLink.BetweenAgents(_peers, agent, to, Revise);
        }
    }

    /// <summary>The links between agents of one whose own link was found slow, which may be slow for the same reason.</summary>
    private IEnumerable<WatchedLink> FindOthersOf(WatchedLink slow) => slow is not WatchedLink.ToAgent(AgentEntry agent, _) || _peers is null
        ? []
        : _peers.Known.Where(pair => pair.Value is not null && (pair.Key.From == agent || pair.Key.To == agent)).Take(MostOthersLookedAt)
            .Select(pair => new WatchedLink.BetweenAgents(_peers, pair.Key.From, pair.Key.To, Revise));

    /// <summary>Looks for links between agents that are not known yet, as after one came, and again for those that were not there a while ago.</summary>
    private async Task LookForPeersAsync(PeerLinks peers)
    {
        ImmutableArray<AgentEntry> usable = _agents.Usable;
        (AgentEntry From, AgentEntry To)[] missing = [.. peers.Known.Select(static pair => pair.Key).Where(pair => usable.Contains(pair.From) && usable.Contains(pair.To) && peers.IsUnknown(pair))];
        try
        {
            await peers.MeasureAsync(missing, _lifetime.Token).ConfigureAwait(false);
            await peers.MeasureAllAsync(usable, _lifetime.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The coordinator ends.
        }
    }

    private void Watch()
    {
        lock (_watchLock)
        {
            if (_disposed == 0)
                _watch ??= new AgentWatch(_agents, Options.Membership, Options.TimeProvider, MarkLost, OnTick, LeastFreeMemoryBytes);
        }
    }

    private async ValueTask<(string Path, string Name, bool IsStored)> ResolveAsync(string model, string? name, CancellationToken cancellationToken)
    {
        if (Options.Repository is { } repository && !File.Exists(model))
        {
            try
            {
                StoredModel stored = await repository.GetModelAsync(model, cancellationToken).ConfigureAwait(false);
                // Under another name it is another model to the repository, which keeps its weights once all the same.
                return (stored.Path, name ?? stored.Name, name is null || name == stored.Name);
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
