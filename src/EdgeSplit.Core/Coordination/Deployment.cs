using System.Collections.Immutable;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using EdgeSplit.Coordination.Adaptation;
using EdgeSplit.Coordination.Adaptation.Internal;
using EdgeSplit.Coordination.Batching;
using EdgeSplit.Coordination.Batching.Internal;
using EdgeSplit.Coordination.Internal;
using EdgeSplit.Costs;
using EdgeSplit.Models;
using EdgeSplit.Partitioning;
using EdgeSplit.Repositories;
using EdgeSplit.Tensors;

namespace EdgeSplit.Coordination;

/// <summary>A model that is split over agents and serves requests, under one plan after another.</summary>
/// <remarks>
/// Thread-safe. Each plan is an epoch: a new one is made ready beside the old one, new requests take it, and the old one is
/// unloaded when its last request has ended. A request whose agent is lost runs again, from its inputs, on the next epoch.
/// </remarks>
public sealed class Deployment : IAsyncDisposable
{
    // Each attempt loses an agent, so this only bounds what agents that come and go without end can do to a request.
    private const int MaxAttempts = 10;
    private static readonly RequestOptions NoOptions = new();

    private readonly Coordinator _coordinator;
    private readonly ISplittableModel _model;
    private readonly EpochStager _stager;
    private readonly DeploymentOptions _options;
    private readonly InputChecker _inputs;
    private readonly RequestBatcher? _batcher;
    private readonly TimeProvider _time;
    private readonly KeyValuePair<string, object?> _modelTag;
    private readonly SemaphoreSlim _switching = new(1);
    private readonly CancellationTokenSource _lifetime = new();
    private readonly CancellationTokenSource _aborted = new();
    private readonly Lock _recoveryLock = new();
    private readonly Standby? _standby;
    private PlanEpoch? _epoch;
    private Recovery? _recovery;
    private CancellationTokenSource? _optionalSwitch;
    private Task _draining = Task.CompletedTask;
    private Task _keeping = Task.CompletedTask;
    // When the agents that are left could no longer run the model; 0 while they can.
    private long _downSince;
    private int _disposed;

    internal Deployment(Coordinator coordinator, string name, ISplittableModel model, EpochStager stager, CostCorrections corrections, DeploymentOptions options)
    {
        Name = name;
        _coordinator = coordinator;
        _model = model;
        _stager = stager;
        Corrections = corrections;
        _options = options;
        _inputs = new InputChecker(name, model.Inputs);
        _time = coordinator.Options.TimeProvider;
        _modelTag = new KeyValuePair<string, object?>("edgesplit.model.name", name);
        if ((options.Batching ?? coordinator.Options.Batching) is { } batching)
            _batcher = CreateBatcher(batching);
        // A plan that was given is what its giver wants.
        if (options.Plan is null && coordinator.Options.Adaptation is { } adaptation)
        {
            _standby = adaptation.Standby is { } standby ? new Standby(coordinator, this, stager, standby) : null;
            StandIn = _standby is null ? null : new StandIn(coordinator, this, _standby);
            Adapter = new DeploymentAdapter(coordinator, this, stager, _standby, new RecoveryCheck(coordinator, this, stager, adaptation), adaptation);
        }
    }

    /// <summary>The model's name.</summary>
    public string Name { get; }

    /// <summary>The plan that new requests run on.</summary>
    public PartitionPlan Plan => Current.Plan;

    /// <summary>The number of that plan, from 1, one more with each switch.</summary>
    public long Epoch => Current.Number;

    /// <summary>What stages and transfers really took; plans that the partitioner makes anew rest on it.</summary>
    public CostCorrections Corrections { get; }

    /// <summary>What is done if an agent is lost that the plan needs, and how far that is prepared (<see cref="AdaptationOptions.Standby"/>).</summary>
    public ImmutableArray<StandbyPlan> StandbyPlans => _standby?.Plans ?? [];

    /// <summary>Whether the agents of the plan can be reached, or at least those of one of its routes. A request that comes while it is false waits for another plan.</summary>
    public bool IsServing => CurrentEpoch is { IsServing: true };

    /// <summary>What a request must give.</summary>
    public ImmutableArray<TensorInfo> Inputs => _model.Inputs;

    /// <summary>What a request gets.</summary>
    public ImmutableArray<TensorInfo> Outputs => _model.Outputs;

    /// <summary>Whether small requests may be joined: asked for, possible by the model's shapes, and not found to change results.</summary>
    public bool IsBatching => _batcher is { IsActive: true };

    internal DeploymentAdapter? Adapter { get; }

    /// <summary>What takes over where tensors no longer arrive; null where nothing stands by.</summary>
    internal StandIn? StandIn { get; }

    /// <summary>Cancelled when the deployment is disposed of.</summary>
    internal CancellationToken Lifetime => _lifetime.Token;

    internal IPartitioner Partitioner => _options.Partitioner ?? _coordinator.Options.Partitioner;

    internal PlanEpoch? CurrentEpoch => Volatile.Read(ref _epoch);

    private PlanEpoch Current => CurrentEpoch ?? throw new ObjectDisposedException(nameof(Deployment), $"The deployment of model '{Name}' was disposed of.");

    /// <summary>Runs the model once, for the client without a name.</summary>
    /// <param name="inputs">Every input by name; borrowed until the call completes, and unchanged until then.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    /// <inheritdoc cref="InferAsync(IReadOnlyDictionary{string, Tensor}, RequestOptions, CancellationToken)"/>
    public ValueTask<FinalResult> InferAsync(IReadOnlyDictionary<string, Tensor> inputs, CancellationToken cancellationToken = default) =>
        InferAsync(inputs, NoOptions, cancellationToken);

    /// <summary>Runs the model once.</summary>
    /// <param name="inputs">Every input by name; borrowed until the call completes, and unchanged until then.</param>
    /// <param name="options">Who asks.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    /// <returns>The outputs, for the caller to dispose of.</returns>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidInput"/>; <see cref="EdgeSplitError.Overloaded"/>;
    /// <see cref="EdgeSplitError.ExecutionFailed"/>; <see cref="EdgeSplitError.AgentUnavailable"/>: an agent was lost, and the others
    /// cannot run the model.</exception>
    public async ValueTask<FinalResult> InferAsync(IReadOnlyDictionary<string, Tensor> inputs, RequestOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(options);
        long started = _time.GetTimestamp();
        _inputs.Check(inputs);
        using Activity? activity = EdgeSplitTelemetry.Source.StartActivity("edgesplit.request");
        activity?.SetTag(_modelTag.Key, _modelTag.Value);
        Task<FinalResult>? batched = _batcher?.TryRun(inputs, options.Client, cancellationToken);
        if (batched is null)
            await _coordinator.Window.EnterAsync(options.Client, cancellationToken).ConfigureAwait(false);
        EdgeSplitTelemetry.RequestsInFlight.Add(1, _modelTag);
        bool gaveUp = false;
        try
        {
            FinalResult result = batched is null
                ? await RunAsync(inputs, started, 1, cancellationToken).ConfigureAwait(false)
                : await batched.ConfigureAwait(false);
            EdgeSplitTelemetry.RequestDuration.Record(result.Latency.TotalSeconds, _modelTag);
            _coordinator.OnRequestEnded(Name, result.Epoch, result.Latency, result.Stages, null);
            return result;
        }
        catch (Exception exception)
        {
            gaveUp = exception is OperationCanceledException;
            string error = exception is EdgeSplitException failure ? failure.Error.ToString() : exception.GetType().Name;
            activity?.SetStatus(ActivityStatusCode.Error, error);
            TimeSpan latency = _time.GetElapsedTime(started);
            EdgeSplitTelemetry.RequestDuration.Record(latency.TotalSeconds, _modelTag, new KeyValuePair<string, object?>("error.type", error));
            _coordinator.OnRequestEnded(Name, CurrentEpoch?.Number ?? 0, latency, [], error);
            throw;
        }
        finally
        {
            EdgeSplitTelemetry.RequestsInFlight.Add(-1, _modelTag);
            if (batched is null)
                _coordinator.Window.Leave(options.Client, gaveUp);
        }
    }

    /// <summary>Switches to another plan without losing a request, and returns when the old one is drained and unloaded.</summary>
    /// <param name="plan">The plan; null to let the partitioner decide for the agents as they are now.</param>
    /// <param name="cancellationToken">
    /// Before the switch it undoes what was prepared; after it, it only ends the wait for the old plan.
    /// </param>
    /// <exception cref="EdgeSplitException">The plan cannot be found or loaded; the old one stays in use.</exception>
    public async ValueTask RepartitionAsync(PartitionPlan? plan = null, CancellationToken cancellationToken = default)
    {
        await _switching.WaitAsync(cancellationToken).ConfigureAwait(false);
        Task draining;
        long started = _time.GetTimestamp();
        try
        {
            await SwitchAsync(Current, plan, null, false, cancellationToken).ConfigureAwait(false);
            draining = _draining;
            Note(RepartitionTrigger.Asked, plan is null ? "Someone asked for a new plan." : "Someone gave a plan.", "It was asked for.", started);
        }
        finally
        {
            _switching.Release();
        }
        await draining.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Refuses new requests, waits for those that run (<see cref="CoordinatorOptions.DrainTimeout"/>), unloads the model from its agents and
    /// closes it. The repository, where there is one, forgets that it was deployed.
    /// </summary>
    public ValueTask DisposeAsync() => EndAsync(forGood: true);

    /// <summary>Ends the deployment.</summary>
    /// <param name="forGood">Whether the repository forgets it, so that it is not restored.</param>
    internal async ValueTask EndAsync(bool forGood)
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        _coordinator.Forget(this);
        await _lifetime.CancelAsync().ConfigureAwait(false);
        if (Adapter is not null)
            await Adapter.Running.ConfigureAwait(false);
        if (StandIn is not null)
            await StandIn.Running.ConfigureAwait(false);
        if (_standby is not null)
            await _standby.EndAsync().ConfigureAwait(false);
        await _switching.WaitAsync().ConfigureAwait(false);
        try
        {
            PlanEpoch? last = Interlocked.Exchange(ref _epoch, null);
            await DrainAsync(Task.WhenAll(_draining, _keeping, _stager.Unloading, last?.CloseAsync() ?? Task.CompletedTask), last).ConfigureAwait(false);
            // What the repository knows is by name: it may be another's by now.
            if (forGood && last is not null && !_coordinator.Deployments.Any(other => other.Name == Name))
                await KeepAsync(null).ConfigureAwait(false);
        }
        finally
        {
            _switching.Release();
        }
        _model.Dispose();
    }

    /// <summary>Waits until no request runs any more; after the time that they have, ends those that do.</summary>
    private async Task DrainAsync(Task drained, PlanEpoch? last)
    {
        TimeSpan timeout = _coordinator.Options.DrainTimeout;
        try
        {
            await drained.WaitAsync(timeout, _time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            _coordinator.Logger.DrainTimedOut(Name, last?.Users ?? 0, timeout.TotalSeconds);
            await _aborted.CancelAsync().ConfigureAwait(false);
            await drained.ConfigureAwait(false);
        }
    }

    internal bool Uses(AgentEntry agent) => CurrentEpoch?.Uses(agent) ?? false;

    /// <summary>States the model's problem with what was measured, from the plan in use where there is one.</summary>
    internal async ValueTask<PartitionProblem> CreateProblemAsync(PartitionPlan? current, CancellationToken cancellationToken)
    {
        return Complete(await _coordinator.CreateProblemAsync(_model.Graph, _options, this, cancellationToken).ConfigureAwait(false), current);
    }

    /// <summary>The same from what is known by now, without measuring anything.</summary>
    internal PartitionProblem CreateProblem(PartitionPlan? current) => Complete(_coordinator.CreateProblem(_model.Graph, _options, this), current);

    private PartitionProblem Complete(PartitionProblem problem, PartitionPlan? current)
    {
        problem = Corrections.Apply(problem);
        if (current is null)
            return problem;
        ImmutableArray<PlanRoute> routes = current.RoutesIn(problem.Fleet);
        return problem with
        {
            CurrentAssignment = routes[0].Assignment,
            CurrentRoutes = routes,
            Constraints = problem.Constraints with { HoldsBothEpochs = true },
        };
    }

    /// <summary>Switches to a plan unless another has taken the place of the one that it was made for.</summary>
    /// <param name="from">The one that it was made for.</param>
    /// <param name="plan">The plan.</param>
    /// <param name="madeFor">What was known when it was made.</param>
    /// <param name="isUrgent">Whether requests wait for it, or gain so much that what runs meanwhile may be slowed down.</param>
    /// <param name="standsInAfter">Why it stands in until a better one is found; null where it does not.</param>
    /// <param name="cancellationToken">Stops it.</param>
    internal async ValueTask<bool> TrySwitchAsync(PlanEpoch from, PartitionPlan plan, Conditions madeFor, bool isUrgent, RepartitionTrigger? standsInAfter, CancellationToken cancellationToken)
    {
        await _switching.WaitAsync(cancellationToken).ConfigureAwait(false);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            lock (_recoveryLock)
            {
                if (Current != from || (_recovery is { Ended.IsCompleted: false } recovery && recovery.Epoch == from))
                    return false;
                _optionalSwitch = stop;
            }
            await SwitchAsync(from, plan, madeFor, mustServe: isUrgent, stop.Token, standsInAfter).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
        finally
        {
            lock (_recoveryLock)
                _optionalSwitch = null;
            _switching.Release();
        }
    }

    /// <summary>Gives up what <see cref="TrySwitchAsync"/> is making, which then returns false.</summary>
    /// <returns>Whether anything was being made.</returns>
    internal bool GiveUpSwitch()
    {
        lock (_recoveryLock)
        {
            _ = _optionalSwitch?.CancelAsync();
            return _optionalSwitch is not null;
        }
    }

    /// <summary>Makes the first epoch ready.</summary>
    /// <param name="former">The plan to go on with if its agents are there; null for a new one.</param>
    /// <param name="cancellationToken">Stops it.</param>
    internal async ValueTask StartAsync(FormerPlan? former, CancellationToken cancellationToken)
    {
        PlanEpoch? resumed = former is null ? null : await TryResumeAsync(former, cancellationToken).ConfigureAwait(false);
        _epoch = resumed ?? await StageAsync(1, _options.Plan, null, null, false, cancellationToken).ConfigureAwait(false);
        _epoch.AbandonWith(_aborted.Token);
        _keeping = KeepAsync(_epoch);
        _options.Progress?.Report(new DeploymentProgress(DeploymentStep.Ready, _epoch.Targets.Length, _epoch.Targets.Length));
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<FinalResult> RunAsync(IReadOnlyDictionary<string, Tensor> inputs, long started, int requests, CancellationToken cancellationToken)
    {
        for (int attempt = 1; ; attempt++)
        {
            PlanEpoch epoch = Enter();
            StageFailedException failure;
            try
            {
                return await RequestRun.RunAsync(epoch, inputs, started, requests, _coordinator.Window, _time, cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (_aborted.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                throw new EdgeSplitException(
                    EdgeSplitError.AgentUnavailable,
                    $"The deployment of model '{Name}' was disposed of while the request ran, which had not ended {_coordinator.Options.DrainTimeout.TotalSeconds:0.###} s later. Dispose of it when no request runs, or raise {nameof(CoordinatorOptions)}.{nameof(CoordinatorOptions.DrainTimeout)}.");
            }
            catch (OperationCanceledException) when (epoch.Abandoned.IsCancellationRequested && !cancellationToken.IsCancellationRequested && attempt < MaxAttempts)
            {
                // Another plan is in use, which answers sooner than this one would.
                EdgeSplitTelemetry.RequestRetries.Add(1, _modelTag);
                continue;
            }
            catch (StageFailedException exception)
            {
                failure = exception;
            }
            finally
            {
                epoch.Leave();
            }
            if (attempt >= MaxAttempts || !(failure.AgentIsLost || failure.PartitionIsLost || failure.PeerIsUnreachable))
                throw failure.Describe(Name);
            if (failure.PeerIsUnreachable)
                _coordinator.Relay(epoch, failure);
            else
                await RecoverAsync(epoch, failure, started, cancellationToken).ConfigureAwait(false);
            EdgeSplitTelemetry.RequestRetries.Add(1, _modelTag);
            _coordinator.Logger.RequestRetried(Name, epoch.Number, failure.Agent.Id);
        }
    }

    private RequestBatcher? CreateBatcher(BatchingOptions batching)
    {
        if (BatchAxis.WhyNot(Inputs, Outputs) is { } reason)
        {
            _coordinator.Logger.NotBatched(Name, reason);
            return null;
        }
        return new RequestBatcher(
            Name, batching, Inputs, _coordinator.Options.MaxQueuedRequests, _coordinator.Window, (inputs, requests, cancellationToken) => RunAsync(inputs, _time.GetTimestamp(), requests, cancellationToken), _time, _coordinator.Logger);
    }

    private PlanEpoch Enter()
    {
        while (true)
        {
            // An epoch is replaced before it is closed, so one that cannot be entered is not the current one any more.
            PlanEpoch epoch = Current;
            if (epoch.TryEnter())
                return epoch;
        }
    }

    /// <summary>Moves away from a lost agent before a request runs into it.</summary>
    internal void OnAgentLost(AgentEntry agent, Exception cause)
    {
        if (CurrentEpoch is { } epoch && epoch.Uses(agent))
            Leave(epoch, agent, $"Model '{Name}': agent '{agent.Id}' was lost: {cause.Message}");
    }

    /// <summary>Switches away from an epoch that lost an agent, without anyone who waits for it.</summary>
    private void Leave(PlanEpoch epoch, AgentEntry agent, string why)
    {
        _ = LeaveAsync(SwitchOnce(epoch, agent, why));

        async Task LeaveAsync(Task switching)
        {
            try
            {
                await switching.ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is EdgeSplitException or ObjectDisposedException)
            {
                _coordinator.Logger.RecoveryFailed(exception, Name, agent.Id);
            }
        }
    }

    /// <summary>Waits until another epoch has taken the place of one that lost an agent; where the agents that are left cannot run the model, until others come.</summary>
    private async ValueTask RecoverAsync(PlanEpoch failed, StageFailedException failure, long requestStarted, CancellationToken cancellationToken)
    {
        if (failure.AgentIsLost)
            _coordinator.MarkLost(failure.Agent, failure.InnerException!);
        else
            failed.NoteForgotten(failure.Agent);
        if (failed.IsServing)
        {
            // The next plan is made meanwhile; the request need not wait for it.
            Leave(failed, failure.Agent, failure.Describe(Name).Message);
            return;
        }
        while (true)
        {
            int version = _coordinator.AgentsVersion;
            try
            {
                await SwitchOnce(failed, failure.Agent, failure.Describe(Name).Message).WaitAsync(cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (EdgeSplitException exception) when (exception.Error == EdgeSplitError.AgentUnavailable)
            {
                // The time that a request has waited for its turn since then counts, or those behind it would wait in vain, one after the other.
                Interlocked.CompareExchange(ref _downSince, _time.GetTimestamp(), 0);
                TimeSpan left = _coordinator.Options.CapacityTimeout - _time.GetElapsedTime(Math.Max(Volatile.Read(ref _downSince), requestStarted));
                if (left <= TimeSpan.Zero)
                    throw;
                _coordinator.Logger.WaitingForCapacity(Name, exception.Message);
                try
                {
                    await _coordinator.WaitForAgentsAsync(version).WaitAsync(left, _time, cancellationToken).ConfigureAwait(false);
                }
                catch (TimeoutException)
                {
                    throw exception;
                }
            }
        }
    }

    /// <summary>Switches away from an epoch that lost an agent, once for all of its requests.</summary>
    private Task SwitchOnce(PlanEpoch failed, AgentEntry lost, string why)
    {
        lock (_recoveryLock)
        {
            // One that failed is only worth another try when the agents have changed.
            int version = _coordinator.AgentsVersion;
            if (_recovery is null || _recovery.Epoch != failed || (_recovery.Ended.IsFaulted && _recovery.AgentsVersion != version))
            {
                // Requests wait for this one; nobody does for one that was to make them faster.
                GiveUpSwitch();
                _recovery = new Recovery(failed, version, Task.Run(() => SwitchFromAsync(failed, lost, why)));
            }
            return _recovery.Ended;
        }
    }

    private async Task SwitchFromAsync(PlanEpoch failed, AgentEntry lost, string why)
    {
        await _switching.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        long started = _time.GetTimestamp();
        try
        {
            if (Current != failed)
                return;
            bool isTakenOver = await TryTakeOverAsync(failed, lost).ConfigureAwait(false);
            if (!isTakenOver)
                await SwitchAsync(failed, null, null, true, _lifetime.Token).ConfigureAwait(false);
            Note(RepartitionTrigger.AgentWent, why, isTakenOver ? "One agent takes over at once; a better plan is looked for next." : "The plan in use could not go on.", started);
        }
        catch (OperationCanceledException)
        {
            throw new ObjectDisposedException(nameof(Deployment), $"The deployment of model '{Name}' was disposed of.");
        }
        catch (EdgeSplitException exception)
        {
            throw new EdgeSplitException(
                EdgeSplitError.AgentUnavailable, $"{why} Without agent '{lost.Id}' the model cannot be served: {exception.Message}", exception);
        }
        finally
        {
            _switching.Release();
        }
    }

    /// <summary>Lets one agent run what a lost one ran, which stands by for it or at least needs no search.</summary>
    private async ValueTask<bool> TryTakeOverAsync(PlanEpoch failed, AgentEntry lost)
    {
        // Where copies serve on, there is time for a better plan.
        if (_standby is null || failed.IsServing)
            return false;
        try
        {
            Conditions conditions = _coordinator.Observe();
            if (_standby.Find(failed, lost, CreateProblem(failed.Plan)) is not { } plan)
                return false;
            await SwitchAsync(failed, plan, conditions, true, _lifetime.Token, RepartitionTrigger.AgentWent).ConfigureAwait(false);
            return true;
        }
        catch (EdgeSplitException exception)
        {
            _coordinator.Logger.TakeOverFailed(exception, Name, lost.Id);
            return false;
        }
    }

    private void Note(RepartitionTrigger trigger, string cause, string reason, long started) => _coordinator.Note(new RepartitionDecision
    {
        Time = _time.GetUtcNow(),
        Model = Name,
        Trigger = trigger,
        Cause = cause,
        Switched = true,
        Reason = reason,
        Epoch = Current.Number,
        After = Current.Plan.Cost,
        Elapsed = _time.GetElapsedTime(started),
    });

    /// <summary>Replaces an epoch; the caller holds <see cref="_switching"/>.</summary>
    private async ValueTask SwitchAsync(PlanEpoch old, PartitionPlan? plan, Conditions? madeFor, bool mustServe, CancellationToken cancellationToken, RepartitionTrigger? standsInAfter = null)
    {
        PlanEpoch next = await StageAsync(old.Number + 1, plan, madeFor, old.Plan, mustServe, cancellationToken).ConfigureAwait(false);
        next.StandsInAfter = standsInAfter;
        next.AbandonWith(_aborted.Token);
        Volatile.Write(ref _epoch, next);
        Volatile.Write(ref _downSince, 0);
        _coordinator.FitWindow();
        EdgeSplitTelemetry.PlanSwitches.Add(1, _modelTag);
        _draining = Task.WhenAll(_draining, old.CloseAsync());
        _keeping = KeepAfterAsync(_keeping, next);
        _options.Progress?.Report(new DeploymentProgress(DeploymentStep.Ready, next.Targets.Length, next.Targets.Length));
    }

    private async ValueTask<PlanEpoch> StageAsync(long number, PartitionPlan? given, Conditions? madeFor, PartitionPlan? current, bool mustServe, CancellationToken cancellationToken)
    {
        while (true)
        {
            PartitionPlan? plan = given;
            if (plan is null)
            {
                _options.Progress?.Report(new DeploymentProgress(DeploymentStep.Planning));
                // An agent that comes while the plan is made or loaded is not in it, so what is known now is what later ticks compare with.
                // Where requests wait for it, nothing is measured before.
                madeFor = mustServe ? _coordinator.Observe() : await _coordinator.ObserveAsync(cancellationToken).ConfigureAwait(false);
                PartitionProblem problem = mustServe
                    ? CreateProblem(current)
                    : await CreateProblemAsync(current, cancellationToken).ConfigureAwait(false);
                plan = await _coordinator.PlanAsync(Name, problem, mustServe, Partitioner, cancellationToken).ConfigureAwait(false);
            }
            try
            {
                return await _stager.StageAsync(number, plan, madeFor, mustServe, _options.Progress, cancellationToken).ConfigureAwait(false);
            }
            catch (AgentLostException lost)
            {
                _coordinator.MarkLost(lost.Agent, lost);
                if (given is not null)
                    throw lost.Describe(Name);
            }
        }
    }

    /// <summary>Makes a former plan ready once its agents are there; null where it is no plan for them, or some do not come.</summary>
    private async ValueTask<PlanEpoch?> TryResumeAsync(FormerPlan former, CancellationToken cancellationToken)
    {
        ImmutableArray<Layer> layers = _model.Graph.Layers;
        if (layers.Length != former.Assignment.Count || !layers.All(layer => former.Assignment.ContainsKey(layer.Name)))
            return null;
        ImmutableArray<StoredRoute> stored = former.Routes.IsDefaultOrEmpty ? [new StoredRoute(1, ImmutableSortedDictionary<string, string>.Empty)] : former.Routes;
        string[][] ids = [.. stored.Select(route => layers.Select(layer => route.Moved.GetValueOrDefault(layer.Name) ?? former.Assignment[layer.Name]).ToArray())];
        bool allCame = await WaitForAgentsAsync(agents => ids.All(route => Array.TrueForAll(route, agents.Contains)), former.AgentsTimeout, cancellationToken).ConfigureAwait(false);
        if (!allCame)
        {
            await WaitForAgentsAsync(static agents => agents.Count > 0, _coordinator.Options.CapacityTimeout, cancellationToken).ConfigureAwait(false);
            return null;
        }
        Conditions madeFor = await _coordinator.ObserveAsync(cancellationToken).ConfigureAwait(false);
        PartitionProblem problem = await CreateProblemAsync(null, cancellationToken).ConfigureAwait(false);
        ImmutableArray<PlanRoute> routes = [.. stored.Select((route, index) => new PlanRoute(route.Share, [.. ids[index].Select(problem.Fleet.IndexOf)]))];
        if (routes.Any(static route => route.Assignment.Contains(-1)))
            return null;
        try
        {
            PartitionPlan plan = new PlanEvaluator(problem).Create(routes, "restored");
            return await _stager.StageAsync(1, plan, madeFor, false, _options.Progress, cancellationToken).ConfigureAwait(false);
        }
        catch (EdgeSplitException exception) when (exception.Error == EdgeSplitError.NoFeasiblePlan)
        {
            return null;
        }
        catch (AgentLostException lost)
        {
            _coordinator.MarkLost(lost.Agent, lost);
            return null;
        }
    }

    private async ValueTask<bool> WaitForAgentsAsync(Func<HashSet<string>, bool> areThere, TimeSpan timeout, CancellationToken cancellationToken)
    {
        long started = _time.GetTimestamp();
        while (true)
        {
            Conditions now = await _coordinator.ObserveAsync(cancellationToken).ConfigureAwait(false);
            if (areThere([.. now.AgentIds]))
                return true;
            TimeSpan left = timeout - _time.GetElapsedTime(started);
            if (left <= TimeSpan.Zero)
                return false;
            try
            {
                await _coordinator.WaitForAgentsAsync(now.Version).WaitAsync(left, _time, cancellationToken).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                return false;
            }
        }
    }

    private async Task KeepAfterAsync(Task earlier, PlanEpoch epoch)
    {
        await earlier.ConfigureAwait(false);
        await KeepAsync(epoch).ConfigureAwait(false);
    }

    /// <summary>Lets the repository know on which agents the model runs; null for on none. Requests do not depend on it, so a failure is only logged.</summary>
    private async Task KeepAsync(PlanEpoch? epoch)
    {
        if (_coordinator.Options.Repository is not { } repository)
            return;
        try
        {
            if (epoch is null)
            {
                await repository.RemoveDeploymentAsync(Name, CancellationToken.None).ConfigureAwait(false);
                return;
            }
            PartitionPlan plan = epoch.Plan;
            var stored = new StoredDeployment(Name, IdsOf(plan.Graph.Layers, plan.Assignment))
            {
                Routes = plan.Routes.Length == 1 ? [] : [.. plan.Routes.Select(route => new StoredRoute(
                    route.Share, IdsOf(plan.Graph.Layers.Where(layer => route.Assignment[layer.Index] != plan.Assignment[layer.Index]), route.Assignment)))],
                RequestsPerSecond = _options.RequestsPerSecond,
                MeasuredLayerSeconds = _options.MeasuredLayerSeconds.ToImmutableSortedDictionary(StringComparer.Ordinal),
            };
            await repository.SetDeploymentAsync(stored, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            _coordinator.Logger.DeploymentNotKept(exception, Name);
        }

        ImmutableSortedDictionary<string, string> IdsOf(IEnumerable<Layer> layers, ImmutableArray<int> assignment) =>
            layers.ToImmutableSortedDictionary(static layer => layer.Name, layer => epoch.Plan.Fleet.Devices[assignment[layer.Index]].Id, StringComparer.Ordinal);
    }

    private sealed record Recovery(PlanEpoch Epoch, int AgentsVersion, Task Ended);
}
