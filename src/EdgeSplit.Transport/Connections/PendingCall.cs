using EdgeSplit.Transport.Messages;

namespace EdgeSplit.Transport.Connections;

/// <summary>A request of ours that waits for its answer.</summary>
internal sealed class PendingCall(Operation operation)
    : TaskCompletionSource<IncomingMessage>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public Operation Operation { get; } = operation;
}
