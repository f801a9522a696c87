using System.Collections.Immutable;
using EdgeSplit.Coordination;
using EdgeSplit.Repositories;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EdgeSplit.Hosting;

/// <summary>The models that an application serves: those that its options name, those that its repository restores, and those that were loaded since.</summary>
/// <remarks>Thread-safe.</remarks>
public sealed class DeployedModels
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(2);

    private readonly Coordinator _coordinator;
    private readonly ILogger _logger;
    private readonly int _minimumAgents;
    private readonly bool _restores;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private readonly HashSet<string> _stored = new(StringComparer.Ordinal);

    /// <summary>Made by the container.</summary>
    /// <param name="coordinator">Deploys the models.</param>
    /// <param name="options">Which to begin with.</param>
    /// <param name="logger">Logs what becomes of them.</param>
    public DeployedModels(Coordinator coordinator, IOptions<CoordinatorHostOptions> options, ILogger<DeployedModels> logger)
    {
        ArgumentNullException.ThrowIfNull(coordinator);
        ArgumentNullException.ThrowIfNull(options);
        _coordinator = coordinator;
        _logger = logger;
        _minimumAgents = options.Value.MinimumAgents;
        _restores = options.Value.RestoresModels;
        foreach (ModelHostOptions model in options.Value.Models)
            _entries[model.ServedName] = new Entry(model);
    }

    /// <summary>How far each model is.</summary>
    public ImmutableArray<ModelStatus> Statuses
    {
        get
        {
            lock (_lock)
                return [.. _entries.Select(static entry => new ModelStatus(entry.Key, entry.Value.State, entry.Value.Reason))];
        }
    }

    /// <summary>Waits until a model is served, and gives it to run requests.</summary>
    /// <param name="name">The name under which it is served.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NotFound"/>: the application serves no such model; or why it cannot be served.</exception>
    public async ValueTask<Deployment> GetAsync(string name, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        Task<Deployment> served;
        lock (_lock)
        {
            if (!_entries.TryGetValue(name, out Entry? entry))
                throw new EdgeSplitException(EdgeSplitError.NotFound, $"This application serves no model '{name}', but {(_entries.Count == 0 ? "none" : string.Join(", ", _entries.Keys))}.");
            served = entry.Served.Task;
        }
        return await served.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Deploys another model, and gives it when it is served.</summary>
    /// <param name="model">The path of a model file, or the name of a model in the repository.</param>
    /// <param name="name">The name under which it is served; null for the file's name without extension.</param>
    /// <param name="cancellationToken">Stops the deployment.</param>
    /// <exception cref="EdgeSplitException">As of <see cref="Coordinator.DeployAsync"/>; <see cref="EdgeSplitError.InvalidArgument"/>: a model of that name is served.</exception>
    public async ValueTask<Deployment> LoadAsync(string model, string? name = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(model);
        var entry = new Entry(new ModelHostOptions { Model = model, Name = name });
        lock (_lock)
        {
            if (!_entries.TryAdd(entry.Model.ServedName, entry))
                throw new EdgeSplitException(EdgeSplitError.InvalidArgument, $"A model '{entry.Model.ServedName}' is served already. Give this one another name, or unload that one.");
        }
        try
        {
            return await DeployAsync(entry, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            lock (_lock)
                _entries.Remove(entry.Model.ServedName);
            throw;
        }
    }

    /// <summary>Serves a model no longer; returns when its requests have ended.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NotFound"/>: no such model is served.</exception>
    public async ValueTask UnloadAsync(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        Deployment deployment = _coordinator.Deployments.FirstOrDefault(deployment => deployment.Name == name)
            ?? throw new EdgeSplitException(EdgeSplitError.NotFound, $"No model '{name}' is served.");
        lock (_lock)
        {
            _entries.Remove(name);
            _stored.Remove(name);
        }
        await deployment.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Adds the models that were deployed when a coordinator with this repository ended.</summary>
    internal async ValueTask ReadStoredAsync(CancellationToken cancellationToken)
    {
        if (!_restores || _coordinator.Options.Repository is not { } repository)
            return;
        try
        {
            await foreach (StoredDeployment stored in repository.ListDeploymentsAsync(cancellationToken).ConfigureAwait(false))
            {
                lock (_lock)
                {
                    _stored.Add(stored.ModelName);
                    _entries.TryAdd(stored.ModelName, new Entry(new ModelHostOptions { Model = stored.ModelName, Name = stored.ModelName }));
                }
                HostingLog.ModelRestores(_logger, stored.ModelName);
            }
        }
        catch (EdgeSplitException exception)
        {
            // What the options name is served all the same, on new plans.
            HostingLog.NotRestored(_logger, exception);
        }
    }

    /// <summary>Deploys the models that the options name, and those that were stored, each as soon as the agents can run it.</summary>
    internal Task StartAsync(CancellationToken stopping)
    {
        Entry[] entries;
        lock (_lock)
            entries = [.. _entries.Values];
        return Task.WhenAll(entries.Select(entry => Task.Run(() => KeepTryingAsync(entry, stopping), CancellationToken.None)));
    }

    private async Task KeepTryingAsync(Entry entry, CancellationToken stopping)
    {
        string told = "";
        while (!stopping.IsCancellationRequested)
        {
            int version = _coordinator.AgentsVersion;
            try
            {
                int agents = _coordinator.AgentStates.Count(static agent => agent.State == EdgeSplit.Coordination.Membership.AgentState.Available);
                if (agents < _minimumAgents)
                {
                    throw new EdgeSplitException(EdgeSplitError.NoFeasiblePlan, agents == 0
                        ? "No agent is connected yet."
                        : $"{agents} of {_minimumAgents} agents are connected.");
                }
                await DeployAsync(entry, stopping).ConfigureAwait(false);
                return;
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (EdgeSplitException exception) when (exception.IsTransient || exception.Error == EdgeSplitError.NoFeasiblePlan)
            {
                Set(entry, ModelState.Waiting, exception.Message);
                if (told != exception.Message)
                    HostingLog.ModelWaits(_logger, entry.Model.ServedName, told = exception.Message);
            }
            catch (Exception exception)
            {
                Set(entry, ModelState.Failed, exception.Message);
                // What EdgeSplit says is clear without the trace.
                HostingLog.ModelFailed(_logger, entry.Model.ServedName, exception.Message, exception is EdgeSplitException ? null : exception);
                entry.Served.TrySetException(exception);
                // Nobody has to wait for the model.
                _ = entry.Served.Task.Exception;
                return;
            }
            // What was wrong may mend itself on an agent that stays; mostly another agent comes.
            await Task.WhenAny(_coordinator.WaitForAgentsAsync(version, stopping), Task.Delay(RetryDelay, _coordinator.Options.TimeProvider, stopping)).ConfigureAwait(false);
        }
    }

    private async Task<Deployment> DeployAsync(Entry entry, CancellationToken cancellationToken)
    {
        Set(entry, ModelState.Deploying, "It is being planned and loaded.");
        var options = new DeploymentOptions { Name = entry.Model.ServedName, RequestsPerSecond = entry.Model.RequestsPerSecond };
        bool isStored;
        lock (_lock)
            isStored = _stored.Contains(entry.Model.ServedName);
        Deployment deployment = await (isStored
            ? _coordinator.RestoreAsync(entry.Model.Model, options, cancellationToken: cancellationToken)
            : _coordinator.DeployAsync(entry.Model.Model, options, cancellationToken)).ConfigureAwait(false);
        Set(entry, ModelState.Served, "");
        entry.Served.TrySetResult(deployment);
        HostingLog.ModelServed(_logger, deployment.Name, deployment.Epoch, deployment.Plan.Stages.Length);
        return deployment;
    }

    private void Set(Entry entry, ModelState state, string reason)
    {
        lock (_lock)
            (entry.State, entry.Reason) = (state, reason);
    }

    private sealed class Entry(ModelHostOptions model)
    {
        public ModelHostOptions Model => model;

        public ModelState State { get; set; }

        public string Reason { get; set; } = "The application has not started yet.";

        public TaskCompletionSource<Deployment> Served { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
