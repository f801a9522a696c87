using System.Buffers.Binary;
using System.Threading.Tasks.Sources;
using EdgeSplit.Transport.Duplex;
using EdgeSplit.Transport.Duplex.Internal;
using EdgeSplit.Transport.Framing;

namespace EdgeSplit.Transport.Connections;

/// <summary>
/// The sending half of a connection. Whoever has something to send queues it, and the first to find the connection idle
/// writes until the queues are empty. Each write takes, in this order: control frames, messages without a body, and then one
/// chunk of bodies, in turns of the message that has waited longest and of the one that has least left. So nothing small waits for more
/// than a chunk, whose size follows the link's speed, messages of one size arrive one after the other rather than all at the end, small ones pass
/// large ones, which have half of the link to themselves, and a message that is abandoned stops between two frames.
/// </summary>
/// <param name="connection">Where to.</param>
/// <param name="creditThresholdBytes">Credit to return is held back until it is this much or something else is sent.</param>
/// <param name="timeProvider">Measures how fast chunks leave.</param>
/// <param name="onFailure">Called once when the connection breaks while sending.</param>
internal sealed class FrameWriter(
    IDuplexConnection connection, long creditThresholdBytes, TimeProvider timeProvider, Action<Exception> onFailure) : IValueTaskSource
{
    private const int MaxFramesInBatch = 64;
    private const int MaxQueued = 16 * 1024;
    // About a millisecond's worth where the connection takes all at once. Changing threads costs tens of microseconds, as much as 256 KiB.
    private const int MaxBytesInCaller = 4 * 1024 * 1024;
    private const int ControlValueBytes = 8;
    private const int ControlFrameBytes = FramePrefix.ByteCount + ControlValueBytes;

    private readonly Lock _gate = new();
    private readonly Queue<OutgoingMessage> _urgent = new();
    // In the order in which they came; those of the batch that is being sent stay in it.
    private readonly List<OutgoingMessage> _bulk = [];
    private bool _isOldestsTurn;
    private readonly Queue<uint> _cancels = new();
    private readonly List<ReadOnlyMemory<byte>> _batch = [];
    private readonly List<OutgoingMessage> _messagesInBatch = [];
    private readonly byte[] _scratch =
        new byte[(4 * ControlFrameBytes) + (MaxFramesInBatch * FramePrefix.ByteCount) + (2 * MaxFramesInBatch * OutgoingMessage.MaxDataHeadBytes)];
    private int _scratchUsed;
    private int _batchBytes;
    private readonly SendPace _pace = new(connection is IPacedConnection { StaysInMachine: true });
    private int _unsentBytes;
    private long _creditToReturn;
    private bool _holdsCreditBack = true;
    private bool _blocked;
    private ulong? _ping;
    private ulong? _pong;
    // Wakes the writing loop, which runs on the thread of whoever wakes it. One loop for all writes: an asynchronous method that is
    // called anew for each would be an object each time that the connection makes it wait.
    private ManualResetValueTaskSourceCore<bool> _wake;
    private bool _isStarted;
    private bool _isWriting;
    private bool _isClosed;

    /// <summary>Queues a message. Its <see cref="OutgoingMessage.Released"/> tells when it was written, or will not be.</summary>
    public void Enqueue(OutgoingMessage message)
    {
        bool refused;
        lock (_gate)
        {
            // Failures are the one thing that a peer can make this side queue without limit.
            refused = _isClosed || (message.Type == FrameType.Failure && _urgent.Count >= MaxQueued);
            if (!refused && message.BodyBytes == 0)
                _urgent.Enqueue(message);
            else if (!refused)
                _bulk.Add(message);
        }
        if (!refused)
        {
            WriteIfIdle();
            return;
        }
        message.Release();
        onFailure(new IOException("The peer does not read what it is sent."));
    }

    /// <summary>Takes a message back as far as it is not written yet.</summary>
    /// <param name="message">The message.</param>
    /// <param name="tellPeer">Whether the peer gets a Cancel frame if it knows of the message already.</param>
    public void Abandon(OutgoingMessage message, bool tellPeer)
    {
        bool release;
        lock (_gate)
        {
            if (message.IsAbandoned || _isClosed)
                return;
            message.IsAbandoned = true;
            if (tellPeer && message.IsStarted)
                _cancels.Enqueue(message.StreamId);
            release = !message.IsBeingSent && !message.IsComplete;
            if (release)
                _bulk.Remove(message);
        }
        if (release)
            message.Release();
        WriteIfIdle();
    }

    public void SendPing(ulong value)
    {
        lock (_gate)
            _ping = value;
        WriteIfIdle();
    }

    /// <summary>Answers a ping. A peer that pings faster than it reads gets only the latest answer.</summary>
    public void SendPong(ulong value)
    {
        lock (_gate)
            _pong = value;
        WriteIfIdle();
    }

    public void SendBlocked()
    {
        lock (_gate)
            _blocked = true;
        WriteIfIdle();
    }

    /// <summary>Gives the peer credit, now or with what is sent next.</summary>
    public void ReturnCredit(long byteCount)
    {
        lock (_gate)
        {
            _creditToReturn += byteCount;
            if (_holdsCreditBack && _creditToReturn < creditThresholdBytes)
                return;
        }
        WriteIfIdle();
    }

    /// <summary>From now on returns credit as soon as it is free: the peer had to wait for it once.</summary>
    public void ReturnCreditAtOnce()
    {
        lock (_gate)
            _holdsCreditBack = false;
        WriteIfIdle();
    }

    /// <summary>Lets go of everything that is queued and takes nothing more.</summary>
    public void Close()
    {
        List<OutgoingMessage> released = [];
        lock (_gate)
        {
            if (_isClosed)
                return;
            _isClosed = true;
            foreach (OutgoingMessage message in _urgent.Concat(_bulk))
            {
                if (!message.IsAbandoned && !message.IsBeingSent)
                    released.Add(message);
            }
            _urgent.Clear();
            _bulk.Clear();
            _cancels.Clear();
        }
        foreach (OutgoingMessage message in released)
            message.Release();
    }

    private void WriteIfIdle()
    {
        bool isFirst;
        lock (_gate)
        {
            if (_isWriting || _isClosed)
                return;
            _isWriting = true;
            isFirst = !_isStarted;
            _isStarted = true;
        }
        _wake.SetResult(true);
        // The loop outlives the call that starts it, and does not carry its ambient trace along.
        if (isFirst)
            ThreadPool.UnsafeQueueUserWorkItem(static writer => _ = writer.WriteAsync(), this, preferLocal: true);
    }

    private async Task WriteAsync()
    {
        LimitUnsent();
        try
        {
            while (true)
            {
                await new ValueTask(this, _wake.Version).ConfigureAwait(false);
                int bytesInCaller = 0;
                _pace.Begin();
                while (TakeBatch())
                {
                    long started = timeProvider.GetTimestamp();
                    ValueTask sending = connection.SendAsync(_batch, CancellationToken.None);
                    bytesInCaller = sending.IsCompleted ? bytesInCaller + _batchBytes : 0;
                    await sending.ConfigureAwait(false);
                    EndBatch(failed: false);
                    AdaptPace(timeProvider.GetElapsedTime(started));
                    // Whoever sent something small shall not write other people's tensors for long.
                    if (bytesInCaller < MaxBytesInCaller)
                        continue;
                    bytesInCaller = 0;
                    await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
                }
            }
        }
        catch (Exception exception)
        {
            EndBatch(failed: true);
            onFailure(exception);
        }
    }

    private void AdaptPace(TimeSpan elapsed)
    {
        _pace.Add(_batchBytes, elapsed);
        if (_pace.UnsentBytes != _unsentBytes)
            LimitUnsent();
    }

    private void LimitUnsent()
    {
        _unsentBytes = _pace.UnsentBytes;
        (connection as IPacedConnection)?.LimitUnsent(_unsentBytes);
    }

    private bool TakeBatch()
    {
        lock (_gate)
        {
            _batch.Clear();
            _scratchUsed = _batchBytes = 0;
            AppendControlFrames();
            while (_messagesInBatch.Count < MaxFramesInBatch && _urgent.TryDequeue(out OutgoingMessage? message))
                AppendMessage(message, 0);
            int end = _batchBytes + _pace.ChunkBytes;
            while (_batchBytes < end && _messagesInBatch.Count < 2 * MaxFramesInBatch && NextOfBulk() is { } message)
                AppendMessage(message, end - _batchBytes);
            if (_batch.Count > 0 && !_isClosed)
                return true;
            // Before anyone can wake the loop again.
            _wake.Reset();
            _isWriting = false;
            return false;
        }
    }

    private OutgoingMessage? NextOfBulk()
    {
        OutgoingMessage? next = null;
        _isOldestsTurn = !_isOldestsTurn;
        foreach (OutgoingMessage message in _bulk)
        {
            if (message.IsBeingSent || (next is not null && message.RemainingBytes >= next.RemainingBytes))
                continue;
            next = message;
            if (_isOldestsTurn)
                break;
        }
        return next;
    }

    private void AppendMessage(OutgoingMessage message, int maxBodyBytes)
    {
        if (message.IsAbandoned)
            return;
        message.IsBeingSent = true;
        _messagesInBatch.Add(message);
        _batchBytes += message.AppendFrame(_batch, _batchBytes, TakeScratch(OutgoingMessage.MaxDataHeadBytes), maxBodyBytes);
    }

    private void AppendControlFrames()
    {
        if (_pong is { } pong)
            AppendControl(FrameType.Pong, pong);
        if (_ping is { } ping)
            AppendControl(FrameType.Ping, ping);
        bool isCreditDue = !_holdsCreditBack || _creditToReturn >= creditThresholdBytes || _urgent.Count > 0 || _bulk.Count > 0;
        if (_creditToReturn > 0 && isCreditDue)
        {
            AppendControl(FrameType.Credit, (ulong)_creditToReturn);
            _creditToReturn = 0;
        }
        if (_blocked)
            AppendPrefix(FrameType.Blocked, 0);
        for (int i = 0; i < MaxFramesInBatch && _cancels.TryDequeue(out uint streamId); i++)
            AppendPrefix(FrameType.Cancel, streamId);
        (_pong, _ping, _blocked) = (null, null, false);
    }

    private void AppendControl(FrameType type, ulong value)
    {
        Memory<byte> frame = TakeScratch(ControlFrameBytes);
        new FramePrefix(type, 0, ControlValueBytes, 0).Write(frame.Span);
        BinaryPrimitives.WriteUInt64LittleEndian(frame.Span[FramePrefix.ByteCount..], value);
        _batch.Add(frame);
        _batchBytes += ControlFrameBytes;
    }

    private void AppendPrefix(FrameType type, uint streamId)
    {
        Memory<byte> frame = TakeScratch(FramePrefix.ByteCount);
        new FramePrefix(type, streamId, 0, 0).Write(frame.Span);
        _batch.Add(frame);
        _batchBytes += FramePrefix.ByteCount;
    }

    private Memory<byte> TakeScratch(int byteCount)
    {
        Memory<byte> taken = _scratch.AsMemory(_scratchUsed, byteCount);
        _scratchUsed += byteCount;
        return taken;
    }

    private void EndBatch(bool failed)
    {
        lock (_gate)
        {
            int kept = 0;
            for (int i = 0; i < _messagesInBatch.Count; i++)
            {
                OutgoingMessage message = _messagesInBatch[i];
                message.IsBeingSent = false;
                if (!message.IsComplete && !message.IsAbandoned && !_isClosed && !failed)
                    continue;
                _messagesInBatch[kept++] = message;
                if (message.BodyBytes > 0)
                    _bulk.Remove(message);
            }
            _messagesInBatch.RemoveRange(kept, _messagesInBatch.Count - kept);
        }
        foreach (OutgoingMessage message in _messagesInBatch)
            message.Release();
        _messagesInBatch.Clear();
    }

    void IValueTaskSource.GetResult(short token) => _wake.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _wake.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _wake.OnCompleted(continuation, state, token, flags);
}
