using System.Collections.Immutable;
using System.Diagnostics;
using EdgeSplit.Coordination.Internal;
using EdgeSplit.Tensors;
using Microsoft.Extensions.Logging;

namespace EdgeSplit.Coordination.Batching.Internal;

/// <summary>
/// Joins small requests of one model. They wait in lines of their own, one for each shape; when enough rows wait, or one has waited
/// long enough, a run is asked for at the coordinator's admission, and takes what waits when its turn comes. So more is joined the
/// longer that takes, and nothing is put together sooner than it must.
/// </summary>
/// <param name="modelName">The model's name.</param>
/// <param name="options">How to join.</param>
/// <param name="inputs">The model's inputs.</param>
/// <param name="maxWaiting">Requests that may wait.</param>
/// <param name="window">Lets runs in.</param>
/// <param name="run">Runs inputs that are so many requests' together.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">The log.</param>
internal sealed class RequestBatcher(
    string modelName,
    BatchingOptions options,
    ImmutableArray<TensorInfo> inputs,
    int maxWaiting,
    AdmissionWindow window,
    Func<IReadOnlyDictionary<string, Tensor>, int, CancellationToken, ValueTask<FinalResult>> run,
    TimeProvider time,
    ILogger logger)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<BatchShape, BatchGroup> _groups = [];
    private readonly KeyValuePair<string, object?> _modelTag = new("edgesplit.model.name", modelName);
    private int _waiting;
    private int _isChecking;
    private volatile bool _isChecked;
    private volatile bool _isRefused;

    /// <summary>Whether requests may be joined: false from when joined ones were found to change each other's results.</summary>
    public bool IsActive => !_isRefused;

    /// <summary>Runs a request, joined with others where there are any in time.</summary>
    /// <param name="given">Its inputs, checked.</param>
    /// <param name="client">Who asks.</param>
    /// <param name="cancellationToken">Ends the request, and no other.</param>
    /// <returns>The result; null for a request that is none to be joined.</returns>
    public Task<FinalResult>? TryRun(IReadOnlyDictionary<string, Tensor> given, string client, CancellationToken cancellationToken)
    {
        if (_isRefused || BatchAxis.ShapeOf(inputs, given, out int rows) is not { } shape || rows >= options.MaxBatch)
            return null;
        return cancellationToken.IsCancellationRequested
            ? Task.FromCanceled<FinalResult>(cancellationToken)
            : RunAsync(shape, new BatchedRequest(given, rows, client, time.GetTimestamp(), cancellationToken));
    }

    private async Task<FinalResult> RunAsync(BatchShape shape, BatchedRequest request)
    {
        BatchGroup? group;
        int runs = 0;
        BatchedRequest? evicted = null;
        lock (_lock)
        {
            if (!_groups.TryGetValue(shape, out group))
                _groups.Add(shape, group = new BatchGroup(shape, options.MaxBatch));
            if (_waiting >= maxWaiting)
            {
                if (!group.Waiting.TryEvictFor(request.Client, out evicted))
                    throw Overloaded();
                group.Rows -= evicted.Rows;
                _waiting--;
            }
            request.Entry = group.Waiting.Add(request.Client, request);
            _waiting++;
            group.Rows += request.Rows;
            while (group.RowsLeft >= options.MaxBatch)
            {
                group.PendingRuns++;
                runs++;
            }
            StartTimer(group);
        }
        evicted?.Fail(Overloaded());
        for (; runs > 0; runs--)
            Start(group);
        using (request.CancellationToken.UnsafeRegister(_ => GiveUp(group, request), null))
            return await request.Completion.ConfigureAwait(false);
    }

    private void GiveUp(BatchGroup group, BatchedRequest request)
    {
        lock (_lock)
        {
            if (group.Waiting.Remove(request.Entry))
            {
                _waiting--;
                group.Rows -= request.Rows;
                RemoveIfUnused(group);
            }
        }
        request.GiveUp();
    }

    /// <summary>Lets the first of those that no run was asked for wait so long, but no longer; under the lock.</summary>
    private void StartTimer(BatchGroup group)
    {
        if (group.Timer is not null || group.RowsLeft <= 0 || !group.Waiting.TryPeek(out BatchedRequest? first))
            return;
        // Where runs are pending, the first in line will be in one of those; the others have not waited longer than it.
        TimeSpan left = group.PendingRuns > 0 ? options.MaxDelay : options.MaxDelay - time.GetElapsedTime(first.Added);
        using (ExecutionContext.SuppressFlow())
            group.Timer = time.CreateTimer(_ => OnWaited(group), null, left > TimeSpan.Zero ? left : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    private void OnWaited(BatchGroup group)
    {
        lock (_lock)
        {
            group.Timer?.Dispose();
            group.Timer = null;
            if (group.RowsLeft <= 0)
            {
                RemoveIfUnused(group);
                return;
            }
            group.PendingRuns++;
        }
        Start(group);
    }

    private void Start(BatchGroup group)
    {
        // A run is many requests', and carries the trace of none.
        using (ExecutionContext.SuppressFlow())
            _ = Task.Run(() => RunAsync(group));
    }

    private async Task RunAsync(BatchGroup group)
    {
        string client;
        lock (_lock)
            client = group.Waiting.NextClient ?? "";
        EdgeSplitException? refusal = null;
        try
        {
            await window.EnterAsync(client, CancellationToken.None).ConfigureAwait(false);
        }
        catch (EdgeSplitException exception)
        {
            refusal = exception;
        }
        List<BatchedRequest> taken;
        lock (_lock)
        {
            group.PendingRuns--;
            taken = group.Take();
            _waiting -= taken.Count;
            StartTimer(group);
            RemoveIfUnused(group);
        }
        if (refusal is not null)
        {
            taken.ForEach(request => request.Fail(new EdgeSplitException(refusal.Error, refusal.Message, refusal)));
            return;
        }
        try
        {
            await RunAsync(taken).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            // Whatever happens, nobody waits for ever.
            taken.ForEach(request => request.Fail(exception));
        }
        finally
        {
            window.Leave(client);
        }
    }

    private async ValueTask RunAsync(List<BatchedRequest> taken)
    {
        foreach (BatchedRequest request in taken)
            EdgeSplitTelemetry.BatchDelay.Record(time.GetElapsedTime(request.Added).TotalSeconds, _modelTag);
        taken.RemoveAll(static request => !request.TryBeginReading());
        if (taken.Count == 0)
            return;
        if (taken.Count > 1 && _isChecked)
        {
            await RunJoinedAsync(taken).ConfigureAwait(false);
        }
        else if (taken.Count > 1 && !_isRefused && Interlocked.Exchange(ref _isChecking, 1) == 0)
        {
            await CheckAsync(taken).ConfigureAwait(false);
            Volatile.Write(ref _isChecking, 0);
        }
        else
        {
            await Task.WhenAll(taken.Select(RunAloneAsync)).ConfigureAwait(false);
        }
    }

    /// <summary>Joins requests and gives each its part. What may be the fault of one of them makes each run by itself.</summary>
    private async ValueTask RunJoinedAsync(List<BatchedRequest> taken)
    {
        EdgeSplitTelemetry.BatchSize.Record(taken.Count, _modelTag);
        using var noneLeft = new CancellationTokenSource();
        int left = taken.Count;
        using Activity? activity = EdgeSplitTelemetry.Source.StartActivity(
            "edgesplit.batch", ActivityKind.Internal, default(ActivityContext), links: taken.Where(static request => request.Activity is not null).Select(static request => new ActivityLink(request.Activity!.Context)));
        activity?.SetTag(_modelTag.Key, _modelTag.Value).SetTag("edgesplit.batch.size", taken.Count);
        long started = time.GetTimestamp();
        Dictionary<string, Tensor>? joined = null;
        FinalResult result;
        try
        {
            joined = Join(taken);
            foreach (BatchedRequest request in taken)
            {
                if (!request.TryJoin(OnGivenUp))
                    OnGivenUp();
            }
            result = await run(joined, taken.Count, noneLeft.Token).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            await FailAsync(taken, exception).ConfigureAwait(false);
            return;
        }
        finally
        {
            joined?.DisposeTensors();
        }
        if (Split(result, taken, started, (request, part) => request.Complete(part)) is { } problem)
        {
            Decide(problem);
            await FailAsync(taken, new EdgeSplitException(EdgeSplitError.ExecutionFailed, problem)).ConfigureAwait(false);
        }

        void OnGivenUp()
        {
            if (Interlocked.Decrement(ref left) == 0)
                noneLeft.Cancel();
        }
    }

    /// <summary>Runs requests joined and each by itself, gives each its own result, and finds out whether the joined ones are the same.</summary>
    private async ValueTask CheckAsync(List<BatchedRequest> taken)
    {
        var parts = new Dictionary<BatchedRequest, FinalResult>();
        try
        {
            bool isTelling = BatchCheck.HaveDifferentInputs(taken);
            string? problem = isTelling ? await TryJoinedAsync(taken, parts).ConfigureAwait(false) : null;
            Outcome[] outcomes = await Task.WhenAll(taken.Select(TryAloneAsync)).ConfigureAwait(false);
            // A joined run with a request that fails by itself, or was given up, says nothing.
            if (isTelling && outcomes.All(static outcome => outcome.Result is not null))
                Decide(problem ?? FindDifference(outcomes, parts));
            foreach (Outcome outcome in outcomes)
                outcome.Tell();
        }
        finally
        {
            foreach (FinalResult part in parts.Values)
                part.Dispose();
        }
    }

    /// <summary>Runs requests joined, for comparison alone.</summary>
    /// <returns>Why that cannot be done; null where it was.</returns>
    private async ValueTask<string?> TryJoinedAsync(List<BatchedRequest> taken, Dictionary<BatchedRequest, FinalResult> parts)
    {
        Dictionary<string, Tensor>? joined = null;
        try
        {
            joined = Join(taken);
            FinalResult result = await run(joined, taken.Count, CancellationToken.None).ConfigureAwait(false);
            return Split(result, taken, time.GetTimestamp(), parts.Add);
        }
        catch (Exception exception)
        {
            // Whose fault it is, the runs by themselves tell.
            return $"joined requests failed: {exception.Message}";
        }
        finally
        {
            joined?.DisposeTensors();
        }
    }

    private static string? FindDifference(Outcome[] outcomes, Dictionary<BatchedRequest, FinalResult> parts)
    {
        foreach (Outcome outcome in outcomes)
        {
            if (BatchCheck.FindDifference(outcome.Result!.Outputs, parts[outcome.Request].Outputs) is { } name)
                return $"the output '{name}' of a request was another when it ran together with others";
        }
        return null;
    }

    private void Decide(string? problem)
    {
        if (problem is null)
        {
            _isChecked = true;
            logger.BatchingChecked(modelName, options.MaxBatch);
            return;
        }
        _isRefused = true;
        logger.BatchingRefused(modelName, problem);
    }

    private async Task RunAloneAsync(BatchedRequest request) => (await TryAloneAsync(request).ConfigureAwait(false)).Tell();

    private async Task<Outcome> TryAloneAsync(BatchedRequest request)
    {
        if (!request.TryRunAlone())
            return new Outcome(request, null, null);
        Activity.Current = request.Activity;
        try
        {
            long started = time.GetTimestamp();
            FinalResult result = await run(request.Inputs, 1, request.CancellationToken).ConfigureAwait(false);
            return new Outcome(request, Delayed(result, request, started), null);
        }
        catch (Exception exception)
        {
            return new Outcome(request, null, exception);
        }
    }

    /// <summary>A joined run failed: what may be the fault of one request's inputs is found out by running each by itself.</summary>
    private async ValueTask FailAsync(List<BatchedRequest> taken, Exception exception)
    {
        bool mayBeOnes = exception is EdgeSplitException { Error: EdgeSplitError.ExecutionFailed or EdgeSplitError.InvalidInput or EdgeSplitError.ResourceExhausted };
        if (mayBeOnes)
        {
            // Those that were joined gave their inputs up to be taken back; whoever did so has ended, the others' are still lent.
            await Task.WhenAll(taken.Select(RunAloneAsync)).ConfigureAwait(false);
            return;
        }
        foreach (BatchedRequest request in taken)
            request.Fail(exception is EdgeSplitException known ? new EdgeSplitException(known.Error, known.Message, known) : exception);
    }

    private Dictionary<string, Tensor> Join(List<BatchedRequest> taken)
    {
        var joined = new Dictionary<string, Tensor>(inputs.Length);
        try
        {
            foreach (TensorInfo info in inputs)
                joined.Add(info.Name, TensorRows.Join([.. taken.Select(request => request.Inputs[info.Name])]));
            return joined;
        }
        catch
        {
            joined?.DisposeTensors();
            throw;
        }
    }

    /// <summary>Takes a joined result apart; it lives until the last part is disposed of.</summary>
    /// <returns>Why that cannot be done; null where it was.</returns>
    private string? Split(FinalResult result, List<BatchedRequest> taken, long started, Action<BatchedRequest, FinalResult> give)
    {
        int rows = taken.Sum(static request => request.Rows);
        using var memory = new TensorRows.SharedMemory(result);
        foreach ((string name, Tensor tensor) in result.Outputs)
        {
            if (tensor.Shape.Rank == 0 || tensor.Shape.Dimensions[0] != rows)
                return $"the output '{name}' of {rows} rows is {tensor}";
        }
        int start = 0;
        foreach (BatchedRequest request in taken)
        {
            var outputs = new Dictionary<string, Tensor>(result.Outputs.Count);
            foreach ((string name, Tensor tensor) in result.Outputs)
                outputs.Add(name, TensorRows.Slice(tensor, start, request.Rows, memory));
            start += request.Rows;
            give(request, Delayed(result with { RequestId = Guid.NewGuid(), Outputs = outputs }, request, started));
        }
        return null;
    }

    /// <summary>The result as the request's caller sees it: it began when the request came.</summary>
    private FinalResult Delayed(FinalResult result, BatchedRequest request, long started)
    {
        TimeSpan before = time.GetElapsedTime(request.Added, started);
        return result with { Latency = time.GetElapsedTime(request.Added), Stages = [.. result.Stages.Select(stage => stage with { Started = stage.Started + before })] };
    }

    private void RemoveIfUnused(BatchGroup group)
    {
        if (group.Waiting.Count > 0 || group.PendingRuns > 0)
            return;
        group.Timer?.Dispose();
        group.Timer = null;
        _groups.Remove(group.Shape);
    }

    private EdgeSplitException Overloaded() => new(
        EdgeSplitError.Overloaded, $"{maxWaiting} requests of model '{modelName}' wait, the limit. Try again later, or raise {nameof(CoordinatorOptions.MaxQueuedRequests)}.");

    /// <summary>What became of a request by itself; neither result nor failure for one that had ended before.</summary>
    private sealed record Outcome(BatchedRequest Request, FinalResult? Result, Exception? Failure)
    {
        public void Tell()
        {
            if (Result is not null)
                Request.Complete(Result);
            else if (Failure is not null)
                Request.Fail(Failure);
        }
    }
}
