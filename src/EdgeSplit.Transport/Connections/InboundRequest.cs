using System.Diagnostics;
using EdgeSplit.Transport.Messages;

namespace EdgeSplit.Transport.Connections;

/// <summary>A request of the peer that is being answered.</summary>
internal sealed class InboundRequest : IThreadPoolWorkItem, IDisposable
{
    private readonly PeerConnection _connection;
    private readonly IRequestHandler _handler;
    private readonly IncomingMessage _message;
    private readonly CancellationTokenSource _cancellation;
    private OutgoingMessage? _reply;

    public InboundRequest(PeerConnection connection, IRequestHandler handler, IncomingMessage message, TimeProvider timeProvider)
    {
        _connection = connection;
        _handler = handler;
        _message = message;
        _cancellation = message.Head.TimeLimit is { } limit ? new CancellationTokenSource(limit, timeProvider) : new CancellationTokenSource();
    }

    public uint StreamId => _message.StreamId;

    /// <summary>Whether the peer, or the end of the connection, took the request back.</summary>
    public bool IsCancelled { get; private set; }

    /// <summary>Stops the request without waiting for it: callbacks of the agent run on the thread pool.</summary>
    public void Cancel()
    {
        IsCancelled = true;
        _ = _cancellation.CancelAsync();
    }

    /// <summary>Notes that the answer waits to be sent: should the request be taken back, it is not sent to its end.</summary>
    /// <remarks>A deadline needs no look here: the peer has the same one and takes the request back.</remarks>
    public void BeginReply(OutgoingMessage reply)
    {
        _reply = reply;
        AbandonReplyIfCancelled();
    }

    /// <summary>Stops sending the answer if the request was taken back. To be called after <see cref="Cancel"/>, outside of any lock: it may send.</summary>
    public void AbandonReplyIfCancelled()
    {
        // Of the two that call this, the later one sees what the other wrote.
        Interlocked.MemoryBarrier();
        if (IsCancelled && _reply is { } reply)
            _connection.AbandonReply(reply);
    }

    public void Dispose() => _cancellation.Dispose();

    public void Execute() => _ = RunAsync();

    private async Task RunAsync()
    {
        MessageHead head = _message.Head;
        using Activity? activity = TransportTelemetry.StartServing(head);
        try
        {
            Reply reply;
            try
            {
                reply = await _handler.AnswerAsync(_message, _cancellation.Token).ConfigureAwait(false);
            }
            finally
            {
                // Before the answer goes out, so that the credit goes with it.
                _message.Dispose();
            }
            using (reply.Owner)
                await _connection.SendReplyAsync(this, reply, _cancellation.Token).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            if (!IsCancelled)
                _connection.SendFailure(StreamId, _connection.ToFailure(exception, head, _cancellation.IsCancellationRequested));
        }
        finally
        {
            _connection.End(this);
        }
    }
}
