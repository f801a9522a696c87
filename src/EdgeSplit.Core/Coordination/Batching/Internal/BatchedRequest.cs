using System.Diagnostics;
using EdgeSplit.Coordination.Internal;
using EdgeSplit.Tensors;

namespace EdgeSplit.Coordination.Batching.Internal;

/// <summary>A request that is to be joined with others. Its caller may take it back at any time, and gets its inputs back at once where nobody reads them.</summary>
internal sealed class BatchedRequest(IReadOnlyDictionary<string, Tensor> inputs, int rows, string client, long added, CancellationToken cancellationToken)
{
    private readonly TaskCompletionSource<FinalResult> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _lock = new();
    private State _state;
    private bool _isGivenUp;
    private Action? _onGivenUp;

    private enum State
    {
        Waiting,
        Read,
        Joined,
        Alone,
        Ended,
    }

    public IReadOnlyDictionary<string, Tensor> Inputs => inputs;

    public int Rows => rows;

    public string Client => client;

    /// <summary>When it was added.</summary>
    public long Added => added;

    /// <summary>The request's trace.</summary>
    public Activity? Activity { get; } = Activity.Current;

    public CancellationToken CancellationToken => cancellationToken;

    /// <summary>Where it waits; guarded by the batcher's lock.</summary>
    public FairQueue<BatchedRequest>.Entry Entry { get; set; }

    public Task<FinalResult> Completion => _completion.Task;

    /// <summary>From now on its inputs are read: a caller that gives up waits for that to end. False for one that was given up.</summary>
    public bool TryBeginReading()
    {
        lock (_lock)
        {
            if (_state != State.Waiting)
                return false;
            _state = State.Read;
            return true;
        }
    }

    /// <summary>Its inputs have been copied into a joined run, which goes on without it if it is given up.</summary>
    /// <param name="onGivenUp">Told of that.</param>
    /// <returns>Whether it still wants its part of the result.</returns>
    public bool TryJoin(Action onGivenUp)
    {
        lock (_lock)
        {
            if (!_isGivenUp)
            {
                (_state, _onGivenUp) = (State.Joined, onGivenUp);
                return true;
            }
            _state = State.Ended;
        }
        _completion.TrySetCanceled(cancellationToken);
        return false;
    }

    /// <summary>It runs by itself from now on, with its caller's token. False for one that has ended.</summary>
    public bool TryRunAlone()
    {
        lock (_lock)
        {
            if (_state == State.Ended)
                return false;
            _state = State.Alone;
            return true;
        }
    }

    /// <summary>Gives the caller its result, which is disposed of where nobody waits for it any more.</summary>
    public void Complete(FinalResult result)
    {
        End();
        if (!_completion.TrySetResult(result))
            result.Dispose();
    }

    public void Fail(Exception exception)
    {
        End();
        if (exception is OperationCanceledException && cancellationToken.IsCancellationRequested)
            _completion.TrySetCanceled(cancellationToken);
        else
            _completion.TrySetException(exception);
    }

    /// <summary>The caller gives up.</summary>
    public void GiveUp()
    {
        Action? onGivenUp;
        lock (_lock)
        {
            _isGivenUp = true;
            // While someone reads the inputs they cannot be given back; a run by itself sees the token.
            if (_state is not (State.Waiting or State.Joined))
                return;
            onGivenUp = _onGivenUp;
            _state = State.Ended;
        }
        _completion.TrySetCanceled(cancellationToken);
        onGivenUp?.Invoke();
    }

    private void End()
    {
        lock (_lock)
            _state = State.Ended;
    }
}
