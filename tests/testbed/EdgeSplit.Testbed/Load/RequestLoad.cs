using System.Collections.Concurrent;
using System.Diagnostics;
using EdgeSplit.Coordination;
using EdgeSplit.Onnx.Verification;
using EdgeSplit.Tensors;

namespace EdgeSplit.Testbed.Load;

/// <summary>Requests without end, some in flight at a time, each compared with what the unsplit model gives for its inputs.</summary>
public sealed class RequestLoad : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(1);

    private readonly Deployment _deployment;
    private readonly TestModel _model;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentQueue<LoadOutcome> _outcomes = new();
    private readonly Task[] _callers;

    /// <summary>Starts the requests.</summary>
    public RequestLoad(Deployment deployment, TestModel model, int inFlight)
    {
        _deployment = deployment;
        _model = model;
        _callers = [.. Enumerable.Range(0, inFlight).Select(caller => Task.Run(() => CallAsync(caller)))];
    }

    /// <summary>What became of the requests that have ended, in the order of their ends.</summary>
    public IReadOnlyList<LoadOutcome> Outcomes => [.. _outcomes];

    /// <summary>Raised when a request has ended. Handlers return soon.</summary>
    public event Action<LoadOutcome>? Ended;

    /// <summary>Asks no more, and waits for those in flight.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_callers);
    }

    private async Task CallAsync(int caller)
    {
        for (int request = caller; !_stopping.IsCancellationRequested; request++)
        {
            (IReadOnlyDictionary<string, Tensor> inputs, IReadOnlyDictionary<string, Tensor> expected) = _model.Samples[request % _model.Samples.Count];
            long started = Stopwatch.GetTimestamp();
            LoadOutcome outcome;
            try
            {
                using var deadline = new CancellationTokenSource(Deadline);
                using FinalResult result = await _deployment.InferAsync(inputs, deadline.Token);
                long ended = Stopwatch.GetTimestamp();
                outcome = new LoadOutcome(started, ended, result.RequestId, result.Epoch, SplitComparison.Of(expected, result.Outputs).LargestRelative, null);
            }
            catch (Exception exception)
            {
                outcome = new LoadOutcome(started, Stopwatch.GetTimestamp(), Guid.Empty, 0, 0, exception);
            }
            _outcomes.Enqueue(outcome);
            Ended?.Invoke(outcome);
        }
    }
}
