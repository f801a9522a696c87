using System.Diagnostics;
using EdgeSplit.Coordination;
using EdgeSplit.Tensors;

namespace EdgeSplit.Agents.Internal;

/// <summary>One execution of a partition: waits in the queue, runs, and completes its task, whichever way.</summary>
internal sealed class Execution(string agentId, InferenceRequest request, LoadedPartition partition, TimeProvider time, CancellationToken cancellationToken)
{
    // The caller's continuation must not run on a thread of the queue.
    private readonly TaskCompletionSource<PartialResult> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly long _enqueued = time.GetTimestamp();
    // Of the caller: the execution runs on a thread of the queue, which has none.
    private readonly Activity? _caller = Activity.Current;
    private CancellationTokenRegistration _registration;
    private ExecutionQueue? _queue;

    /// <summary>The place in the queue while it waits; guarded by the queue's lock.</summary>
    public LinkedListNode<Execution>? Node { get; set; }

    public Task<PartialResult> Task => _completion.Task;

    /// <summary>Watches for cancellation from now on.</summary>
    public void OnQueued(ExecutionQueue queue)
    {
        _queue = queue;
        _registration = cancellationToken.UnsafeRegister(static state => ((Execution)state!).OnCancelled(), this);
    }

    public void Fail(Exception exception)
    {
        _registration.Unregister();
        partition.Release();
        _completion.SetException(exception);
    }

    /// <summary>Runs on the calling thread, whose queue takes the thread for free before the caller learns the outcome.</summary>
    public void Run()
    {
        PartialResult? result = null;
        Exception? failure = null;
        long started = time.GetTimestamp();
        TimeSpan queued = time.GetElapsedTime(_enqueued, started);
        using Activity? activity = StartActivity(queued);
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            IReadOnlyDictionary<string, Tensor> outputs = partition.Executor.Execute(request.Inputs, cancellationToken);
            result = new PartialResult(request.RequestId, request.PartitionId, outputs, time.GetElapsedTime(started), queued);
            EdgeSplitTelemetry.ExecutionDuration.Record(result.ComputeTime.TotalSeconds, new KeyValuePair<string, object?>("edgesplit.agent.id", agentId));
            EdgeSplitTelemetry.ExecutionQueueDuration.Record(queued.TotalSeconds, new KeyValuePair<string, object?>("edgesplit.agent.id", agentId));
        }
        catch (Exception exception) when (exception is OperationCanceledException or EdgeSplitException)
        {
            failure = exception;
        }
        catch (OutOfMemoryException exception)
        {
            failure = new EdgeSplitException(EdgeSplitError.ResourceExhausted, $"Agent '{agentId}' ran out of memory in partition '{request.PartitionId}'.", exception);
        }
        catch (Exception exception)
        {
            failure = new EdgeSplitException(EdgeSplitError.ExecutionFailed, $"Partition '{request.PartitionId}' failed on agent '{agentId}': {exception.Message}", exception);
        }
        if (failure is not null)
            activity?.SetStatus(ActivityStatusCode.Error, (failure as EdgeSplitException)?.Error.ToString() ?? "cancelled");
        // Before the caller learns the outcome, so that a trace that has ended is whole.
        activity?.Stop();
        partition.Release();
        _queue!.OnEnded();
        _registration.Unregister();
        if (result is not null)
            _completion.SetResult(result);
        else if (failure is OperationCanceledException && cancellationToken.IsCancellationRequested)
            _completion.SetCanceled(cancellationToken);
        else
            _completion.SetException(failure!);
    }

    private Activity? StartActivity(TimeSpan queued) => EdgeSplitTelemetry.Source.StartActivity("edgesplit.execute", ActivityKind.Internal, _caller?.Context ?? default)
        ?.SetTag("edgesplit.agent.id", agentId).SetTag("edgesplit.partition.id", request.PartitionId).SetTag("edgesplit.queue.seconds", queued.TotalSeconds);

    private void OnCancelled()
    {
        if (!_queue!.Remove(this))
            return; // It runs; the runtime watches the same token.
        partition.Release();
        _completion.SetCanceled(cancellationToken);
    }
}
