using System.Runtime.CompilerServices;
using EdgeSplit.Tensors;
using EdgeSplit.Transport.Duplex;
using EdgeSplit.Transport.Framing;
using EdgeSplit.Transport.Messages;

namespace EdgeSplit.Transport.Connections;

/// <summary>
/// A connection after its handshake: either side asks and answers, many requests at a time. Every request has a stream
/// number of its own, odd where the connecting side asks.
/// </summary>
internal sealed class PeerConnection : IAsyncDisposable
{
    private readonly IDuplexConnection _connection;
    private readonly PeerSettings _settings;
    private readonly FrameWriter _writer;
    private readonly FrameReceiver _receiver;
    private readonly CreditWindow _credit;
    private readonly MessageEncoder _encoder;
    private readonly RequestTable _requests;
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Func<ValueTask> _onEnded;
    private ITimer? _heartbeat;
    private EdgeSplitException? _reason;

    /// <param name="open">The connection; owned from now on.</param>
    /// <param name="settings">Limits and times.</param>
    /// <param name="handler">Answers the peer.</param>
    /// <param name="onEnded">Runs when no request is being answered any more, before the peer can see the connection closed.</param>
    public PeerConnection(OpenConnection open, PeerSettings settings, IRequestHandler handler, Func<ValueTask> onEnded)
    {
        (_connection, FrameSource source, HandshakeResult handshake) = open;
        _settings = settings;
        _onEnded = onEnded;
        PeerName = _connection.RemoteEndPoint is { } endPoint ? HostAndPort.Format(endPoint) : "the peer";
        TakesEncodedTensors = (handshake.Features & Preamble.EncodedTensors) != 0;
        _writer = new FrameWriter(_connection, settings.Limits.MaxBufferedBytes / 4, settings.TimeProvider, Abort);
        _credit = new CreditWindow(handshake.PeerLimits.MaxBufferedBytes, _writer.SendBlocked);
        _encoder = new MessageEncoder(handshake.PeerLimits, PeerName, settings.Pool);
        _requests = new RequestTable(this, handler, handshake.IsConnector, settings);
        _receiver = new FrameReceiver(
            source, _requests, _writer, _credit, new ReceiveBudget(settings.Limits.MaxBufferedBytes, open.Share, _writer.ReturnCredit), settings);
    }

    /// <summary>The peer's address, for messages.</summary>
    public string PeerName { get; }

    /// <summary>Whether the peer takes encoded tensors.</summary>
    public bool TakesEncodedTensors { get; }

    /// <summary>Completes when the connection has ended and nothing of it is running any more.</summary>
    public Task Closed => _closed.Task;

    /// <summary>Why the connection ended; null while it lives.</summary>
    public EdgeSplitException? CloseReason => Volatile.Read(ref _reason);

    /// <summary>Starts to receive.</summary>
    public void Start()
    {
        _heartbeat = _settings.TimeProvider.CreateTimer(
            static state => ((PeerConnection)state!).CheckHeartbeat(), this, _settings.HeartbeatInterval, _settings.HeartbeatInterval);
        // The connection outlives the call that opened it and must not carry that call's ambient trace along.
        using (ExecutionContext.SuppressFlow())
            _ = Task.Run(RunAsync);
    }

    /// <summary>Asks the peer. The caller disposes of the answer.</summary>
    /// <param name="payload">The arguments.</param>
    /// <param name="tensors">The body, or null; borrowed until the task completes.</param>
    /// <param name="timeLimit">How long to wait, or <see cref="Timeout.InfiniteTimeSpan"/>.</param>
    /// <param name="cancellationToken">Takes the request back.</param>
    /// <exception cref="EdgeSplitException">What the peer says, <see cref="EdgeSplitError.DeadlineExceeded"/>, or
    /// <see cref="EdgeSplitError.AgentUnavailable"/> when the connection is or gets lost.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<IncomingMessage> CallAsync(
        Payload payload, IReadOnlyDictionary<string, Tensor>? tensors, TimeSpan timeLimit, CancellationToken cancellationToken)
    {
        if (timeLimit == Timeout.InfiniteTimeSpan)
            return await AskAsync(payload, tensors, null, cancellationToken).ConfigureAwait(false);

        using var deadline = new CancellationTokenSource(timeLimit, _settings.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            return await AskAsync(payload, tensors, timeLimit, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new EdgeSplitException(
                EdgeSplitError.DeadlineExceeded,
                $"{PeerName} did not answer {payload.Operation} within {timeLimit.TotalSeconds:0.###} s; the request was taken back.");
        }
        catch (OperationCanceledException)
        {
            throw new OperationCanceledException(cancellationToken);
        }
    }

    /// <summary>Says why and ends the connection; waits until both sides are through, for some seconds at most.</summary>
    public async ValueTask CloseAsync(EdgeSplitError error, string message)
    {
        if (Interlocked.CompareExchange(ref _reason, new EdgeSplitException(error, message), null) is null)
        {
            OutgoingMessage close = MessageEncoder.Failure(FrameType.Close, 0, new FailureHead(error, message));
            _writer.Enqueue(close);
            try
            {
                await close.Released.AsTask().WaitAsync(Farewell.Timeout, _settings.TimeProvider).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                await _connection.DisposeAsync().ConfigureAwait(false);
            }
        }
        try
        {
            await Closed.WaitAsync(Farewell.Timeout, _settings.TimeProvider).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            await _connection.DisposeAsync().ConfigureAwait(false);
            await Closed.ConfigureAwait(false);
        }
    }

    /// <summary>Does what <see cref="CloseAsync"/> does without waiting; <see cref="Closed"/> tells when it is done.</summary>
    public void BeginClose(string message) => _ = CloseAsync(EdgeSplitError.AgentUnavailable, message).AsTask();

    /// <summary>Ends the connection at once, without a word to a peer that would not hear it.</summary>
    public void Abandon(string message) => Abort(new EdgeSplitException(EdgeSplitError.AgentUnavailable, message));

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => CloseAsync(EdgeSplitError.AgentUnavailable, "The connection was closed.");

    /// <summary>Sends an answer, waiting for credit and until its tensors are no longer needed.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask SendReplyAsync(InboundRequest request, Reply reply, CancellationToken cancellationToken)
    {
        OutgoingMessage? message = null;
        try
        {
            message = _encoder.Response(request.StreamId, reply.Payload, reply.Tensors);
            await _credit.AcquireAsync(message.CreditBytes, cancellationToken).ConfigureAwait(false);
            _writer.Enqueue(message);
            request.BeginReply(message);
            await message.Released.ConfigureAwait(false);
            if (!message.IsStarted)
                _credit.Restore(message.CreditBytes);
        }
        finally
        {
            message?.Dispose();
        }
    }

    /// <summary>Takes an answer back that nobody waits for any more, as far as it is not sent yet.</summary>
    public void AbandonReply(OutgoingMessage message) => _writer.Abandon(message, tellPeer: false);

    /// <summary>Answers that a request failed. Does not wait.</summary>
    public void SendFailure(uint streamId, FailureHead failure) =>
        _writer.Enqueue(MessageEncoder.Failure(FrameType.Failure, streamId, failure));

    /// <summary>What the peer may know of a failure: code and message of our own exceptions, and of others only that they happened.</summary>
    public FailureHead ToFailure(Exception exception, MessageHead request, bool isPastDeadline)
    {
        switch (exception)
        {
            case EdgeSplitException known:
                return FailureHead.From(known);
            case OperationCanceledException when isPastDeadline:
                return new FailureHead(EdgeSplitError.DeadlineExceeded, $"{request.Payload.Operation} did not end before its deadline.");
            case OperationCanceledException:
                return new FailureHead(EdgeSplitError.AgentUnavailable, $"The agent is shutting down and gave up {request.Payload.Operation}.");
            default:
                TransportLog.UnexpectedFailure(_settings.Logger, request.Payload.Operation, exception);
                return new FailureHead(
                    EdgeSplitError.Internal, $"{request.Payload.Operation} failed on the agent in an unexpected way; the agent's log says more.");
        }
    }

    public void End(InboundRequest request) => _requests.End(request);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<IncomingMessage> AskAsync(
        Payload payload, IReadOnlyDictionary<string, Tensor>? tensors, TimeSpan? timeLimit, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var call = new PendingCall(payload.Operation);
        uint streamId = _requests.Add(call);
        OutgoingMessage? message = null;
        bool isQueued = false;
        try
        {
            message = _encoder.Request(streamId, payload, tensors, timeLimit);
            await _credit.AcquireAsync(message.CreditBytes, cancellationToken).ConfigureAwait(false);
            isQueued = true;
            _writer.Enqueue(message);
            using (cancellationToken.UnsafeRegister(
                static (state, token) => ((PendingCall)state!).Fail(new OperationCanceledException(token)), call))
            {
                return await call.Answer.ConfigureAwait(false);
            }
        }
        catch
        {
            bool isUnanswered = _requests.Remove(streamId);
            if (isUnanswered)
                _receiver.Forget(streamId);
            if (isQueued)
                _writer.Abandon(message!, tellPeer: isUnanswered);
            throw;
        }
        finally
        {
            if (isQueued)
            {
                // The tensors are the caller's again when this call ends, so the writer must be through with them.
                await message!.Released.ConfigureAwait(false);
                if (!message.IsStarted)
                    _credit.Restore(message.CreditBytes);
            }
            message?.Dispose();
        }
    }

    private async Task RunAsync()
    {
        EdgeSplitException reason;
        bool isPeerWaiting = false;
        try
        {
            reason = await _receiver.RunAsync().ConfigureAwait(false);
            isPeerWaiting = true;
        }
        catch (Exception exception)
        {
            reason = ToReason(exception);
            if (reason.Error == EdgeSplitError.ProtocolViolation)
                await SayWhyAsync(reason).ConfigureAwait(false);
        }
        reason = Interlocked.CompareExchange(ref _reason, reason, null) ?? reason;

        _heartbeat?.Dispose();
        // A peer that said goodbye waits for our end of the connection, which tells it that all it had loaded is gone.
        if (!isPeerWaiting)
            await _connection.DisposeAsync().ConfigureAwait(false);
        _writer.Close();
        _credit.Close(reason);
        await _requests.CloseAsync(reason).ConfigureAwait(false);
        await _onEnded().ConfigureAwait(false);
        await _connection.DisposeAsync().ConfigureAwait(false);
        _receiver.Dispose();
        _closed.SetResult();
    }

    private async ValueTask SayWhyAsync(EdgeSplitException reason)
    {
        OutgoingMessage close = MessageEncoder.Failure(FrameType.Close, 0, FailureHead.From(reason));
        _writer.Enqueue(close);
        try
        {
            await close.Released.AsTask().WaitAsync(Farewell.Timeout, _settings.TimeProvider).ConfigureAwait(false);
            await Farewell.WaitForPeerAsync(_connection, _settings.TimeProvider).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // The peer does not read; it will see the connection end.
        }
    }

    private EdgeSplitException ToReason(Exception exception) => exception switch
    {
        _ when CloseReason is { } known => known,
        EdgeSplitException violation => violation,
        EndOfStreamException => new EdgeSplitException(EdgeSplitError.AgentUnavailable, $"{PeerName} closed the connection.", exception),
        _ => new EdgeSplitException(EdgeSplitError.AgentUnavailable, $"The connection to {PeerName} was lost: {exception.Message}", exception),
    };

    private void Abort(Exception exception)
    {
        Interlocked.CompareExchange(ref _reason, ToReason(exception), null);
        _ = _connection.DisposeAsync().AsTask();
    }

    private void CheckHeartbeat()
    {
        TimeSpan silence = _receiver.Silence;
        if (silence < _settings.SilenceLimit)
        {
            _writer.SendPing((ulong)_settings.TimeProvider.GetTimestamp());
            return;
        }
        Abort(new EdgeSplitException(
            EdgeSplitError.AgentUnavailable, $"Nothing was heard from {PeerName} for {silence.TotalSeconds:0.#} s; the connection was given up."));
    }
}
