using EdgeSplit.Coordination;
using EdgeSplit.Models;
using EdgeSplit.Tensors;

namespace EdgeSplit.Simulation.Internal;

/// <summary>One run of a scenario.</summary>
internal sealed class SimulationRun(Scenario scenario, ModelGraph graph, CoordinatorOptions options)
{
    private const int WindowCount = 120;
    private static readonly byte[] Content = new byte[1];

    private readonly VirtualTimeProvider _time = new();
    private readonly SimulatedModel _model = new(graph, options.CostModel);
    private readonly WindowRecorder _recorder = new(Max(scenario.Duration / WindowCount, TimeSpan.FromSeconds(1)));
    private readonly List<SimulatedPlan> _plans = [];
    private readonly List<SimulationNote> _notes = [];
    private readonly HashSet<Task> _running = [];
    private readonly Dictionary<string, SimulatedHost> _hosts = [];
    private Dictionary<string, Tensor> _inputs = [];
    private Deployment? _deployment;
    private ArrivalProcess? _arrivals;
    private TimeSpan _start;

    private TimeSpan Elapsed => _time.Elapsed - _start;

    /// <summary>Runs the scenario on the calling thread, which is none of the thread pool's.</summary>
    public SimulationReport Run(IProgress<TimeSpan>? progress, CancellationToken cancellationToken)
    {
        var pool = new ThreadPoolIdle();
        pool.FindFloor();
        Task<SimulationReport> run = ServeAsync(cancellationToken);
        long events = 0;
        TimeSpan nextReport = TimeSpan.Zero;
        while (true)
        {
            pool.Wait();
            if (run.IsCompleted)
                return run.GetAwaiter().GetResult() with { Events = events };
            NotePlan();
            if (!_time.TryAdvance(TimeSpan.MaxValue))
                throw new InvalidOperationException($"The simulation stands still at {_time.Elapsed}: something waits for what no timer will bring about.");
            events++;
            if (progress is not null && Elapsed >= nextReport && _deployment is not null)
            {
                progress.Report(Elapsed);
                nextReport = Elapsed + (scenario.Duration / 100);
            }
        }
    }

    private async Task<SimulationReport> ServeAsync(CancellationToken cancellationToken)
    {
        foreach (ScenarioDevice device in scenario.Devices)
        {
            var host = new SimulatedHost(_time, device, scenario.Seed);
            host.Noise.Level = scenario.Noise;
            _hosts.Add(device.Device.Id, host);
        }
        _inputs = _model.Inputs.ToDictionary(static input => input.Name, static _ => Tensor.Wrap(TensorElementType.UInt8, new TensorShape(1), Content));
        await using var coordinator = new Coordinator(_model, options with { TimeProvider = _time });
        await Task.WhenAll(scenario.Devices.Where(static device => device.IsPresent).Select(device => JoinAsync(coordinator, _hosts[device.Device.Id], cancellationToken))).ConfigureAwait(false);
        await using Deployment deployment = await coordinator.DeployAsync(graph.Name, null, cancellationToken).ConfigureAwait(false);
        _deployment = deployment;
        _start = _time.Elapsed;
        DateTimeOffset startTime = _time.GetUtcNow();
        NotePlan();
        using (_arrivals = new ArrivalProcess(_time, scenario.RequestsPerSecond, scenario.Seed, () => Track(InferAsync(deployment, cancellationToken))))
        {
            _arrivals.Start();
            foreach (ScenarioChange change in scenario.Changes.OrderBy(static change => change.At))
                Track(ChangeAsync(coordinator, change, cancellationToken));
            await Task.Delay(scenario.Duration, _time, cancellationToken).ConfigureAwait(false);
        }
        // Nobody comes any more; those that wait are answered, or reach their deadline.
        while (Running() is { Length: > 0 } running)
            await Task.WhenAll(running).ConfigureAwait(false);
        _deployment = null; // Ends with this method, and has no plan then.
        return new SimulationReport
        {
            Scenario = scenario,
            Model = graph.Name,
            Failures = _recorder.Failures,
            Windows = _recorder.ToWindows(),
            Plans = [.. _plans],
            Notes = [.. _notes],
            Decisions = coordinator.Decisions,
            StartTime = startTime,
        };
    }

    private async Task JoinAsync(Coordinator coordinator, SimulatedHost host, CancellationToken cancellationToken)
    {
        var agent = new SimulatedAgent(host, _model);
        host.Agent = agent;
        await coordinator.AddAgentAsync(agent, cancellationToken).ConfigureAwait(false);
    }

    private async Task InferAsync(Deployment deployment, CancellationToken cancellationToken)
    {
        TimeSpan came = Elapsed;
        _recorder.Arrived(came);
        using var deadline = new CancellationTokenSource(scenario.Deadline, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            using FinalResult result = await deployment.InferAsync(_inputs, either.Token).ConfigureAwait(false);
            _recorder.Completed(Elapsed, Elapsed - came);
        }
        catch (EdgeSplitException exception)
        {
            _recorder.Failed(Elapsed, exception.Error.ToString());
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            _recorder.Failed(Elapsed, nameof(EdgeSplitError.DeadlineExceeded));
        }
    }

    private async Task ChangeAsync(Coordinator coordinator, ScenarioChange change, CancellationToken cancellationToken)
    {
        await Task.Delay(change.At, _time, cancellationToken).ConfigureAwait(false);
        Note(change.ToString());
        foreach (SimulatedHost host in change.DeviceId is { } id ? new[] { _hosts[id] } : [.. _hosts.Values])
        {
            host.Processor.SpeedFactor = change.SpeedFactor ?? host.Processor.SpeedFactor;
            host.Processor.OtherLoad = change.OtherLoad ?? host.Processor.OtherLoad;
            host.Network.BandwidthFactor = change.BandwidthFactor ?? host.Network.BandwidthFactor;
            host.Network.LatencyFactor = change.LatencyFactor ?? host.Network.LatencyFactor;
            host.Noise.Level = change.Noise ?? host.Noise.Level;
            if (change.Event is { } what)
                await HappenAsync(coordinator, host, what, cancellationToken).ConfigureAwait(false);
        }
        if (change.RequestsPerSecond is double rate)
            _arrivals!.SetRate(rate);
    }

    private async Task HappenAsync(Coordinator coordinator, SimulatedHost host, ScenarioEvent what, CancellationToken cancellationToken)
    {
        try
        {
            switch (what)
            {
                case ScenarioEvent.Join:
                    host.Agent?.Crash();
                    await JoinAsync(coordinator, host, cancellationToken).ConfigureAwait(false);
                    break;
                case ScenarioEvent.Leave:
                    await coordinator.RemoveAgentAsync(host.Device.Id, cancellationToken).ConfigureAwait(false);
                    host.Agent = null;
                    break;
                case ScenarioEvent.Crash:
                    host.Agent?.Crash();
                    break;
                case ScenarioEvent.FallSilent:
                    host.Agent?.FallSilent();
                    break;
                case ScenarioEvent.Speak:
                    host.Agent?.Speak();
                    break;
            }
        }
        catch (EdgeSplitException exception)
        {
            // What the coordinator refuses (the last agent that could run the model must not leave) is part of the course.
            Note($"{what} of '{host.Device.Id}' was refused: {exception.Message}");
        }
    }

    private void NotePlan()
    {
        if (_deployment is { } deployment && deployment.CurrentEpoch is not null && (_plans.Count == 0 || _plans[^1].Epoch != deployment.Epoch))
            _plans.Add(new SimulatedPlan(Elapsed, deployment.Epoch, deployment.Plan));
    }

    private void Note(string text)
    {
        lock (_notes)
            _notes.Add(new SimulationNote(Elapsed, text));
    }

    private void Track(Task task)
    {
        if (task.IsCompleted && task.IsCompletedSuccessfully)
            return;
        lock (_running)
            _running.Add(task);
        task.ContinueWith(
            ended =>
            {
                // One that failed stays, for ServeAsync to find.
                if (ended.IsCompletedSuccessfully)
                {
                    lock (_running)
                        _running.Remove(ended);
                }
            },
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    private Task[] Running()
    {
        lock (_running)
            return [.. _running];
    }

    private static TimeSpan Max(TimeSpan left, TimeSpan right) => left > right ? left : right;
}
