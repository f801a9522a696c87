using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using EdgeSplit.Agents;
using EdgeSplit.Tensors;

namespace EdgeSplit.Coordination.Internal;

/// <summary>
/// One request on its way through the stages of an epoch. A stage starts as soon as all of its inputs are there; a value is
/// disposed of with its last use. A chain of stages is one flow; where a stage feeds several, each but one gets a flow of its own.
/// </summary>
/// <remarks>Its asynchronous methods take their state from a pool, as they are awaited once and run for every stage of every request.</remarks>
internal sealed class RequestRun
{
    private readonly PlanEpoch _epoch;
    private readonly RequestRoutes _routes;
    private readonly TimeProvider _time;
    private readonly long _started;
    private readonly AdmissionWindow _window;
    // The requests let in before, where this one was alone then; -1 where it was not.
    private readonly long _enteredBefore;
    private readonly int _requests;
    private readonly Guid _requestId = Guid.NewGuid();
    private readonly CancellationToken _callerToken;
    private readonly CancellationToken _abandoned;
    private readonly CancellationTokenSource? _siblings;
    private readonly CancellationToken _token;
    private readonly Tensor?[] _values;
    private readonly int[] _uses;
    private readonly int[] _pending;
    private readonly StageTiming[] _timings;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private StageFailure? _failure;
    private int _flows;

    private RequestRun(PlanEpoch epoch, IReadOnlyDictionary<string, Tensor> inputs, long started, int requests, AdmissionWindow window, TimeProvider time, CancellationToken cancellationToken)
    {
        _epoch = epoch;
        _routes = epoch.NextRoutes();
        _time = time;
        _started = started;
        _requests = requests;
        _window = window;
        _enteredBefore = window.InFlight == 1 ? window.Entered : -1;
        _callerToken = cancellationToken;
        _abandoned = epoch.Abandoned;
        // Only where stages run side by side can one that fails have others to stop.
        _siblings = _routes.IsChain && !cancellationToken.CanBeCanceled ? null : CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _abandoned);
        _token = _siblings?.Token ?? _abandoned;
        _values = new Tensor?[_routes.SlotCount];
        _uses = (int[])_routes.Uses.Clone();
        _pending = (int[])_routes.Pending.Clone();
        _timings = new StageTiming[_routes.Stages.Length];
        for (int i = 0; i < _routes.InputCount; i++)
            _values[i] = inputs[_routes.InputNames[i]];
    }

    /// <summary>Runs a request.</summary>
    /// <param name="epoch">The epoch, entered by the caller.</param>
    /// <param name="inputs">The checked inputs; borrowed.</param>
    /// <param name="started">The timestamp of the request's start.</param>
    /// <param name="requests">How many requests it is, joined.</param>
    /// <param name="window">Knows of other requests.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    /// <exception cref="StageFailedException">A stage failed; its siblings were stopped and nothing is left of the request.</exception>
    /// <exception cref="OperationCanceledException">The caller has cancelled it, or the epoch was abandoned.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public static async ValueTask<FinalResult> RunAsync(
        PlanEpoch epoch, IReadOnlyDictionary<string, Tensor> inputs, long started, int requests, AdmissionWindow window, TimeProvider time, CancellationToken cancellationToken)
    {
        var run = new RequestRun(epoch, inputs, started, requests, window, time, cancellationToken);
        try
        {
            await run.RunStagesAsync().ConfigureAwait(false);
            return run.TakeResult();
        }
        finally
        {
            run.DisposeValues();
            run._siblings?.Dispose();
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask RunStagesAsync()
    {
        int[] first = _routes.FirstStages;
        if (first.Length == 0)
            return;
        _flows = first.Length;
        foreach (int stage in first)
            _ = FlowAsync(stage);
        await _ended.Task.ConfigureAwait(false);
        if (_failure is not { } failure)
            return;
        if (failure.Exception is OperationCanceledException && _callerToken.IsCancellationRequested)
            throw new OperationCanceledException(_callerToken);
        if (failure.Exception is OperationCanceledException && _abandoned.IsCancellationRequested)
            throw new OperationCanceledException(_abandoned);
        int failed = _routes.Numbers[failure.Stage];
        throw new StageFailedException(failed, _epoch.Targets[failed].Agent, failure.Exception);
    }

    /// <summary>Runs a stage, and then one by one those that it makes ready. A failure is noted, not thrown.</summary>
    private async Task FlowAsync(int stage)
    {
        try
        {
            while (stage >= 0 && _failure is null)
            {
                await RunStageAsync(stage).ConfigureAwait(false);
                stage = StartReaders(_routes.Stages[stage]);
            }
        }
        catch (Exception exception)
        {
            if (Interlocked.CompareExchange(ref _failure, new StageFailure(stage, exception), null) is null)
                _siblings?.Cancel();
        }
        finally
        {
            if (Interlocked.Decrement(ref _flows) == 0)
                _ended.SetResult();
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask RunStageAsync(int stage)
    {
        StageRoute route = _routes.Stages[stage];
        int number = _routes.Numbers[stage];
        StageTarget target = _epoch.Targets[number];
        int[] slots = route.InputSlots;
        var inputs = new Tensor[slots.Length];
        for (int i = 0; i < slots.Length; i++)
            inputs[i] = _values[slots[i]]!;

        using Activity? activity = EdgeSplitTelemetry.Source.StartActivity("edgesplit.stage");
        activity?.SetTag("edgesplit.stage", number).SetTag("edgesplit.agent.id", target.Agent.Id);
        // One that waits on its agent for other agents' tensors would hold a place of those that could run; admission alone bounds these.
        bool takesPlace = route.Exchange is not { Awaited.IsEmpty: false };
        if (takesPlace)
            await target.Places.WaitAsync(_token).ConfigureAwait(false);
        long sent = _time.GetTimestamp();
        PartialResult? result = null;
        _epoch.Recorder.Silences.Begin(number, sent);
        try
        {
            result = await target.Agent.Agent.ExecuteAsync(
                new InferenceRequest(_requestId, target.Partition.Id, new NamedTensors(route.InputNames, inputs)) { Encoding = target.Agent.Encoding, Exchange = route.Exchange }, _token).ConfigureAwait(false);
        }
        finally
        {
            _epoch.Recorder.Silences.End(number, isAnswered: result is not null);
            if (takesPlace)
                target.Places.Release();
        }
        TimeSpan total = _time.GetElapsedTime(sent);

        // A stage that is fed by others is sent to its agent at once, and waits there for them.
        _timings[stage] = new StageTiming(number, target.Agent.Id, _time.GetElapsedTime(_started, sent) + result.WaitTime, total - result.WaitTime, result.ComputeTime, result.QueueTime);
        _epoch.Recorder.Record(_timings[stage], route, _routes.Numbers, result.DeliveryTimes, _epoch.Targets, isAlone: _enteredBefore == _window.Entered, _requests);
        EdgeSplitTelemetry.StageDuration.Record(_timings[stage].Total.TotalSeconds, _epoch.ModelTag, target.AgentTag);
        if (EdgeSplitTelemetry.StageBytes.Enabled)
            CountBytes(inputs, result, target);
        activity?.SetTag("edgesplit.compute.seconds", result.ComputeTime.TotalSeconds).SetTag("edgesplit.queue.seconds", result.QueueTime.TotalSeconds);
        Keep(result, route);
        foreach (int slot in slots)
            Release(slot);
    }

    private void CountBytes(Tensor[] inputs, PartialResult result, StageTarget target)
    {
        EdgeSplitTelemetry.StageBytes.Add(inputs.Sum(static tensor => tensor.ByteCount), _epoch.ModelTag, target.AgentTag, EdgeSplitTelemetry.Transmitted);
        EdgeSplitTelemetry.StageBytes.Add(result.Outputs.Values.Sum(static tensor => tensor.ByteCount), _epoch.ModelTag, target.AgentTag, EdgeSplitTelemetry.Received);
    }

    /// <summary>Takes over a stage's outputs; one that nobody needs is disposed of.</summary>
    private void Keep(PartialResult result, StageRoute route)
    {
        int kept = 0;
        for (int i = 0; i < route.OutputNames.Length; i++)
        {
            if (!result.Outputs.TryGetValue(route.OutputNames[i], out Tensor? tensor))
            {
                foreach ((string name, Tensor unneeded) in result.Outputs)
                {
                    if (route.OutputNames.AsSpan(0, i).IndexOf(name) < 0)
                        unneeded.Dispose();
                }
                throw new EdgeSplitException(EdgeSplitError.ExecutionFailed, $"the output '{route.OutputNames[i]}' is missing from the agent's answer.");
            }
            int slot = route.OutputSlots[i];
            kept++;
            if (_uses[slot] == 0)
                tensor.Dispose();
            else
                _values[slot] = tensor;
        }
        if (kept == result.Outputs.Count)
            return;
        foreach ((string name, Tensor unneeded) in result.Outputs)
        {
            if (!route.OutputNames.Contains(name))
                unneeded.Dispose();
        }
    }

    /// <summary>Starts the stages that were waiting for a stage's outputs alone.</summary>
    /// <returns>One of them for the caller to run, or -1.</returns>
    private int StartReaders(StageRoute route)
    {
        int mine = -1;
        foreach (int slot in route.OutputSlots)
        {
            foreach (int reader in _routes.Readers[slot])
            {
                if (Interlocked.Decrement(ref _pending[reader]) != 0)
                    continue;
                if (mine >= 0)
                {
                    Interlocked.Increment(ref _flows);
                    _ = FlowAsync(reader);
                }
                else
                {
                    mine = reader;
                }
            }
        }
        return mine;
    }

    private void Release(int slot)
    {
        // Inputs are the caller's.
        if (slot >= _routes.InputCount && Interlocked.Decrement(ref _uses[slot]) == 0)
            Interlocked.Exchange(ref _values[slot], null)?.Dispose();
    }

    private FinalResult TakeResult()
    {
        int[] slots = _routes.OutputSlots;
        var outputs = new Tensor[slots.Length];
        for (int i = 0; i < slots.Length; i++)
        {
            // An input that the model passes through stays the caller's; the result needs one of its own.
            outputs[i] = slots[i] < _routes.InputCount
                ? _values[slots[i]]!.Clone()
                : Interlocked.Exchange(ref _values[slots[i]], null)!;
        }
        return new FinalResult(
            _requestId,
            new NamedTensors(_routes.OutputNames, outputs),
            _epoch.Number,
            _time.GetElapsedTime(_started),
            ImmutableCollectionsMarshal.AsImmutableArray(_timings));
    }

    private void DisposeValues()
    {
        for (int slot = _routes.InputCount; slot < _values.Length; slot++)
            _values[slot]?.Dispose();
    }

    private sealed record StageFailure(int Stage, Exception Exception);
}
