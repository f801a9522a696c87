using System.Threading.Tasks.Sources;
using EdgeSplit.Transport.Messages;

namespace EdgeSplit.Transport.Connections;

/// <summary>
/// A request of ours that waits for its answer. The first of answer, failure and cancellation counts. Whoever waits goes on
/// in <see cref="Execute"/>, on the thread that received the answer or on another of the pool.
/// </summary>
internal sealed class PendingCall(Operation operation) : IValueTaskSource<IncomingMessage>, IThreadPoolWorkItem
{
    private ManualResetValueTaskSourceCore<IncomingMessage> _completion;
    private IncomingMessage? _answer;
    private Exception? _exception;
    private int _isSettled;

    public Operation Operation { get; } = operation;

    public ValueTask<IncomingMessage> Answer => new(this, _completion.Version);

    /// <summary>Takes the answer; the caller then runs <see cref="Execute"/>. False if the call has failed already.</summary>
    public bool TryAnswer(IncomingMessage answer)
    {
        if (Interlocked.Exchange(ref _isSettled, 1) != 0)
            return false;
        _answer = answer;
        return true;
    }

    public void Fail(Exception exception)
    {
        if (Interlocked.Exchange(ref _isSettled, 1) != 0)
            return;
        _exception = exception;
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    public void Execute()
    {
        if (_exception is not null)
            _completion.SetException(_exception);
        else
            _completion.SetResult(_answer!);
    }

    IncomingMessage IValueTaskSource<IncomingMessage>.GetResult(short token) => _completion.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<IncomingMessage>.GetStatus(short token) => _completion.GetStatus(token);

    void IValueTaskSource<IncomingMessage>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _completion.OnCompleted(continuation, state, token, flags);
}
