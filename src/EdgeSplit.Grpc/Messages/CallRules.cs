using Grpc.Core;

namespace EdgeSplit.Grpc.Messages;

/// <summary>How calls to one peer are made: headers, deadline, cancellation, and what failures mean.</summary>
/// <param name="options">The options.</param>
/// <param name="peer">Who is called, for messages.</param>
/// <param name="lost">Cancelled when the peer is lost.</param>
internal sealed class CallRules(GrpcConnectOptions options, string peer, CancellationToken lost)
{
    private readonly Metadata _headers = Channels.HeadersOf(options);
    private readonly CancellationTokenSource _closed = new();

    public string Peer => peer;

    public CancellationToken Lost => lost;

    public CancellationToken Closed => _closed.Token;

    /// <summary>Begins a call, which the caller disposes of.</summary>
    public CallScope Begin(CancellationToken cancellationToken, bool hasDeadline = true)
    {
        ObjectDisposedException.ThrowIf(_closed.IsCancellationRequested, peer);
        cancellationToken.ThrowIfCancellationRequested();
        if (lost.IsCancellationRequested)
            throw LostPeer(null);
        DateTime? deadline = hasDeadline && options.RequestTimeout != Timeout.InfiniteTimeSpan ? DateTime.UtcNow + options.RequestTimeout : null;
        return new CallScope(this, _headers, deadline, cancellationToken);
    }

    /// <summary>Ends the calls under way and refuses others.</summary>
    public Task CloseAsync() => _closed.CancelAsync();

    public EdgeSplitException LostPeer(Exception? cause) =>
        new(EdgeSplitError.AgentUnavailable, $"{peer}: the connection was lost. It is used again when it has connected anew.", cause);
}
