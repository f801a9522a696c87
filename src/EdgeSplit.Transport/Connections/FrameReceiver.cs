using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Threading.Tasks.Sources;
using EdgeSplit.Transport.Framing;
using EdgeSplit.Transport.Messages;

namespace EdgeSplit.Transport.Connections;

/// <summary>
/// Takes frames, checks them, fills the buffers of messages and passes on what is complete. It never waits for anything but
/// the connection, so what the peer sends is always read.
/// </summary>
internal sealed class FrameReceiver(
    FrameSource source, RequestTable requests, FrameWriter writer, CreditWindow credit, ReceiveBudget budget, PeerSettings settings) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<uint, IncomingMessage> _partial = [];
    private readonly Stack<Loop> _idle = new();
    private readonly TaskCompletionSource<EdgeSplitException> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Set while this thread starts the loop that takes over from it: should bytes come in just then, that loop must not deal
    // with a message before the one that this thread holds.
    [ThreadStatic]
    private static bool _isHandingOver;

    /// <summary>The time since the last byte came.</summary>
    public TimeSpan Silence => source.Silence;

    private FrameSource Source => source;

    private int MaxHeaderBytes => settings.Limits.MaxHeaderBytes;

    /// <summary>Receives until the peer closes the connection.</summary>
    /// <returns>The peer's reason.</returns>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.ProtocolViolation"/>.</exception>
    public Task<EdgeSplitException> RunAsync()
    {
        HandOver(ReadHeadAsync());
        return _ended.Task;
    }

    /// <summary>Drops a message that is arriving, if there is one on the stream.</summary>
    public void Forget(uint streamId)
    {
        IncomingMessage? message;
        lock (_gate)
            _partial.Remove(streamId, out message);
        message?.Dispose();
    }

    public void Dispose()
    {
        IncomingMessage[] left;
        lock (_gate)
        {
            left = [.. _partial.Values];
            _partial.Clear();
        }
        foreach (IncomingMessage message in left)
            message.Dispose();
        source.Dispose();
    }

    /// <summary>Lets a loop that has nothing to do go on with what is received next.</summary>
    private void HandOver(ValueTask<ReadResult> next)
    {
        Loop? loop;
        lock (_gate)
            _idle.TryPop(out loop);
        (loop ?? new Loop(this)).GoOnWith(next);
    }

    private ValueTask<ReadResult> ReadHeadAsync() => source.ReadHeadAsync(FramePrefix.ByteCount, CancellationToken.None);

    private IncomingMessage? Take(FramePrefix prefix, out EdgeSplitException? closed)
    {
        closed = null;
        switch (prefix.Type)
        {
            case FrameType.Request:
                return BeginRequest(prefix);
            case FrameType.Response:
                return BeginResponse(prefix);
            case FrameType.Data:
                return FindPartial(prefix);
            case FrameType.Failure:
                requests.Fail(prefix.StreamId, FailureHead.Read(source.Header));
                Forget(prefix.StreamId);
                return null;
            case FrameType.Cancel:
                Forget(prefix.StreamId);
                requests.Cancel(prefix.StreamId);
                return null;
            case FrameType.Ping:
                writer.SendPong(ReadValue(prefix));
                return null;
            case FrameType.Pong:
                _ = ReadValue(prefix);
                return null;
            case FrameType.Credit:
                credit.Return(ReadValue(prefix));
                return null;
            case FrameType.Blocked:
                writer.ReturnCreditAtOnce();
                return null;
            case FrameType.Close:
                closed = ToReason(FailureHead.Read(source.Header));
                return null;
            default:
                throw ProtocolError.Violation($"a {prefix.Type} frame came after the handshake");
        }
    }

    private IncomingMessage? BeginRequest(FramePrefix prefix)
    {
        requests.CheckNew(prefix.StreamId);
        int arriving = CheckNotArriving(prefix.StreamId);
        MessageHead head = MessageHead.ReadRequest(source.Header, settings.Limits.MaxTensorBytes);
        Reserve(prefix, head);
        if (!budget.TryTakeOfPeer(head.CreditBytes))
        {
            return Refuse(prefix.StreamId, null, EdgeSplitError.Overloaded,
                $"The requests of your address hold nearly {budget.PeerLimit} bytes of tensors, the limit for all its connections; ask again later.");
        }
        if (requests.PeersCount + arriving >= settings.Limits.MaxConcurrentRequests)
        {
            return Refuse(prefix.StreamId, head, EdgeSplitError.Overloaded,
                $"{settings.Limits.MaxConcurrentRequests} requests are waiting already; ask again later.");
        }
        try
        {
            return Begin(prefix, new IncomingMessage(prefix, head, settings.Pool, budget));
        }
        catch (OutOfMemoryException)
        {
            return Refuse(prefix.StreamId, null, EdgeSplitError.ResourceExhausted,
                $"There is no memory for {head.BodyBytes} bytes of tensors; send smaller ones or ask again later.");
        }
    }

    private IncomingMessage? BeginResponse(FramePrefix prefix)
    {
        MessageHead head = MessageHead.ReadResponse(source.Header, settings.Limits.MaxTensorBytes);
        CheckNotArriving(prefix.StreamId);
        Reserve(prefix, head);
        if (!budget.TryTakeOfPeer(head.CreditBytes))
        {
            requests.Fail(prefix.StreamId, new FailureHead(
                EdgeSplitError.Overloaded,
                $"Answers from the agent's address hold nearly {budget.PeerLimit} bytes of tensors, the limit for all its connections; ask again later or raise {nameof(ListenOptions.MaxBufferedBytesPerPeer)}."));
            return null;
        }
        if (!requests.IsWaiting(prefix.StreamId, head.Payload.Operation))
        {
            // The request was taken back while the answer was on its way.
            budget.Release(head.CreditBytes);
            return null;
        }
        try
        {
            return Begin(prefix, new IncomingMessage(prefix, head, settings.Pool, budget));
        }
        catch (OutOfMemoryException)
        {
            requests.Fail(prefix.StreamId, new FailureHead(
                EdgeSplitError.ResourceExhausted, $"There is no memory here for an answer of {head.BodyBytes} bytes."));
            return null;
        }
    }

    private void Reserve(FramePrefix prefix, MessageHead head)
    {
        long bodyBytes = head.BodyBytes;
        if (prefix.BodyBytes > bodyBytes)
            throw ProtocolError.Violation($"a {prefix.Type} frame carries {prefix.BodyBytes} bytes of tensors that have {bodyBytes}");
        if (!budget.TryTake(head.CreditBytes))
            throw ProtocolError.Violation($"a {prefix.Type} frame announces {head.CreditBytes} bytes, for which there is no credit");
    }

    private IncomingMessage Begin(FramePrefix prefix, IncomingMessage message)
    {
        if (message.RemainingBytes > prefix.BodyBytes)
        {
            lock (_gate)
                _partial.Add(prefix.StreamId, message);
        }
        return message;
    }

    private int CheckNotArriving(uint streamId)
    {
        lock (_gate)
        {
            return !_partial.ContainsKey(streamId)
                ? _partial.Count
                : throw ProtocolError.Violation($"a second message came on stream {streamId} within the first");
        }
    }

    private IncomingMessage? Refuse(uint streamId, MessageHead? reserved, EdgeSplitError error, string why)
    {
        if (reserved is not null)
            budget.Release(reserved.CreditBytes);
        writer.Enqueue(MessageEncoder.Failure(FrameType.Failure, streamId, new FailureHead(error, why)));
        return null;
    }

    private IncomingMessage? FindPartial(FramePrefix prefix)
    {
        IncomingMessage? message;
        lock (_gate)
            _partial.TryGetValue(prefix.StreamId, out message);
        if (message is not null && prefix.BodyBytes > message.RemainingBytes)
            throw ProtocolError.Violation($"stream {prefix.StreamId} carries more bytes than its tensors have");
        return message;
    }

    private IThreadPoolWorkItem? Complete(IncomingMessage message)
    {
        lock (_gate)
            _partial.Remove(message.StreamId);
        return message.IsRequest ? requests.Begin(message) : requests.Complete(message);
    }

    private ulong ReadValue(FramePrefix prefix)
    {
        if (prefix.HeaderBytes != sizeof(ulong))
            throw ProtocolError.Violation($"a {prefix.Type} frame has a header of {prefix.HeaderBytes} bytes instead of {sizeof(ulong)}");
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        source.Header.CopyTo(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }

    private static EdgeSplitException ToReason(FailureHead failure) => new(failure.Error, $"The peer closed the connection: {failure.Message}");

    /// <summary>
    /// Receives frames. A thread that has received the last bytes of a message, with none behind them, hands over to another loop, which
    /// runs on whichever thread receives next, and goes on to deal with the message itself: no other thread need be woken for it.
    /// </summary>
    /// <remarks>Two loops that take turns are enough as long as no message takes long; they are kept, so that none is made for each message.</remarks>
    private sealed class Loop(FrameReceiver receiver) : IValueTaskSource
    {
        private ManualResetValueTaskSourceCore<bool> _wake;
        private ValueTask<ReadResult> _next;
        private bool _isStarted;

        public void GoOnWith(ValueTask<ReadResult> next)
        {
            _next = next;
            _wake.SetResult(true);
            if (_isStarted)
                return;
            _isStarted = true;
            _ = RunAsync();
        }

        private async Task RunAsync()
        {
            try
            {
                while (true)
                {
                    await new ValueTask(this, _wake.Version).ConfigureAwait(false);
                    ValueTask<ReadResult> next = _next;
                    while (true)
                    {
                        ReadResult read = await next.ConfigureAwait(false);
                        FramePrefix prefix;
                        while (!receiver.Source.TryPeekFrame(read, receiver.MaxHeaderBytes, out prefix, out int headBytes))
                            read = await receiver.Source.ReadHeadAsync(headBytes, CancellationToken.None).ConfigureAwait(false);
                        IncomingMessage? message = receiver.Take(prefix, out EdgeSplitException? closed);
                        receiver.Source.ConsumeHead();
                        if (closed is not null)
                        {
                            receiver._ended.SetResult(closed);
                            return;
                        }
                        // Here rather than in a method of its own, which would be an object for many a frame.
                        int left = prefix.BodyBytes;
                        try
                        {
                            while (left > 0 && message is not null)
                            {
                                Memory<byte> destination = message.BeginReceive(left);
                                if (destination.IsEmpty)
                                    break;
                                try
                                {
                                    int filled = receiver.Source.TakeReadAhead(destination);
                                    while (filled < destination.Length)
                                        filled += receiver.Source.Received(await receiver.Source.ReceiveSomeAsync(destination[filled..]).ConfigureAwait(false));
                                }
                                finally
                                {
                                    message.EndReceive(destination.Length);
                                }
                                left -= destination.Length;
                            }
                        }
                        catch
                        {
                            message?.Dispose();
                            throw;
                        }
                        if (left > 0)
                            await receiver.Source.SkipAsync(left).ConfigureAwait(false);
                        next = receiver.ReadHeadAsync();
                        if (message is not { IsComplete: true })
                            continue;

                        IThreadPoolWorkItem? work = receiver.Complete(message);
                        if (next.IsCompleted || _isHandingOver)
                        {
                            if (work is not null)
                                ThreadPool.UnsafeQueueUserWorkItem(work, preferLocal: true);
                            continue;
                        }
                        _isHandingOver = true;
                        receiver.HandOver(next);
                        _isHandingOver = false;
                        work?.Execute();
                        break;
                    }
                    _wake.Reset();
                    lock (receiver._gate)
                        receiver._idle.Push(this);
                }
            }
            catch (Exception exception)
            {
                receiver._ended.TrySetException(exception);
            }
        }

        void IValueTaskSource.GetResult(short token) => _wake.GetResult(token);

        ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _wake.GetStatus(token);

        void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _wake.OnCompleted(continuation, state, token, flags);
    }
}
