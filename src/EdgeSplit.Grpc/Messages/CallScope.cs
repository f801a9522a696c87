using Grpc.Core;

namespace EdgeSplit.Grpc.Messages;

/// <summary>One call under way.</summary>
internal sealed class CallScope : IDisposable
{
    private readonly CallRules _rules;
    private readonly CancellationToken _caller;
    private readonly CancellationTokenSource _ending;
    private readonly CancellationTokenRegistration _callerRegistration;

    public CallScope(CallRules rules, Metadata headers, DateTime? deadline, CancellationToken caller)
    {
        _rules = rules;
        _caller = caller;
        _ending = CancellationTokenSource.CreateLinkedTokenSource(rules.Lost, rules.Closed);
        _callerRegistration = caller.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), _ending);
        Options = new CallOptions(headers, deadline, _ending.Token);
    }

    public CallOptions Options { get; }

    /// <summary>From now on the caller's token no longer ends the call.</summary>
    public void IgnoreCaller() => _callerRegistration.Dispose();

    /// <summary>Runs the call and tells its failures in EdgeSplit's terms.</summary>
    public async Task<T> RunAsync<T>(Func<Task<T>> call)
    {
        try
        {
            return await call().ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is RpcException or OperationCanceledException or InvalidOperationException or IOException)
        {
            if (_rules.Closed.IsCancellationRequested)
                throw new ObjectDisposedException(_rules.Peer);
            if (_rules.Lost.IsCancellationRequested)
                throw _rules.LostPeer(exception);
            if (_caller.IsCancellationRequested && exception is not RpcException { StatusCode: not StatusCode.Cancelled })
                throw new OperationCanceledException(exception.Message, exception, _caller);
            throw exception is RpcException failure ? failure.ToEdgeSplitException(_rules.Peer) : _rules.LostPeer(exception);
        }
    }

    public void Dispose()
    {
        _callerRegistration.Dispose();
        _ending.Dispose();
    }
}
