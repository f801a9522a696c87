using System.Threading.Tasks.Sources;
using EdgeSplit.Transport.Framing;

namespace EdgeSplit.Transport.Connections;

/// <summary>
/// A message that waits to be written or is being written, in pieces. Its body is memory of others: nobody may free or
/// change it before <see cref="Released"/> completes.
/// </summary>
/// <remarks>The properties that tell how far it is belong to the <see cref="FrameWriter"/> and change under its lock.</remarks>
internal sealed class OutgoingMessage : IValueTaskSource, IDisposable
{
    private readonly FrameType _type;
    private readonly HeaderBuffer _head;
    private readonly List<ReadOnlyMemory<byte>> _body;
    private ManualResetValueTaskSourceCore<bool> _released = new() { RunContinuationsAsynchronously = true };
    private int _bodyIndex;
    private int _bodyOffset;
    private long _sentBytes;
    private int _isReleased;

    /// <param name="type">Request, Response, Failure or Close.</param>
    /// <param name="streamId">The stream.</param>
    /// <param name="head">Room for the prefix, then the header; owned by the message from now on.</param>
    /// <param name="body">The pieces of the body.</param>
    public OutgoingMessage(FrameType type, uint streamId, HeaderBuffer head, List<ReadOnlyMemory<byte>> body)
    {
        _type = type;
        StreamId = streamId;
        _head = head;
        _body = body;
        foreach (ReadOnlyMemory<byte> piece in body)
            BodyBytes += piece.Length;
    }

    public uint StreamId { get; }

    public long BodyBytes { get; }

    /// <summary>Whether the first frame has been handed to the connection, so that the peer knows of the message.</summary>
    public bool IsStarted { get; private set; }

    public bool IsComplete => IsStarted && _sentBytes == BodyBytes;

    /// <summary>Whether the connection is sending a frame of the message right now.</summary>
    public bool IsBeingSent { get; set; }

    public bool IsAbandoned { get; set; }

    /// <summary>Completes once the writer is through with the message: it was written, abandoned, or the connection ended.</summary>
    public ValueTask Released => new(this, _released.Version);

    /// <summary>Completes <see cref="Released"/>; further calls do nothing.</summary>
    public void Release()
    {
        if (Interlocked.Exchange(ref _isReleased, 1) == 0)
            _released.SetResult(true);
    }

    /// <summary>Adds the next frame of the message to <paramref name="batch"/>.</summary>
    /// <param name="batch">Takes the pieces of memory to send.</param>
    /// <param name="prefix">Memory for the prefix, of <see cref="FramePrefix.ByteCount"/> bytes; used for all but the first frame.</param>
    /// <param name="maxBodyBytes">The most bytes of the body that the frame may carry.</param>
    /// <returns>The bytes added.</returns>
    public int AppendFrame(List<ReadOnlyMemory<byte>> batch, Memory<byte> prefix, int maxBodyBytes)
    {
        int count = (int)Math.Min(BodyBytes - _sentBytes, maxBodyBytes);
        int headBytes = FramePrefix.ByteCount;
        if (IsStarted)
        {
            new FramePrefix(FrameType.Data, StreamId, 0, count).Write(prefix.Span);
            batch.Add(prefix);
        }
        else
        {
            headBytes = _head.Length;
            new FramePrefix(_type, StreamId, _head.Length - FramePrefix.ByteCount, count).Write(_head.WrittenSpan);
            batch.Add(_head.Written);
            IsStarted = true;
        }

        _sentBytes += count;
        for (int left = count; left > 0;)
        {
            ReadOnlyMemory<byte> piece = _body[_bodyIndex][_bodyOffset..];
            if (piece.Length > left)
                piece = piece[..left];
            if (!piece.IsEmpty)
                batch.Add(piece);
            left -= piece.Length;
            _bodyOffset += piece.Length;
            if (_bodyOffset == _body[_bodyIndex].Length)
            {
                _bodyIndex++;
                _bodyOffset = 0;
            }
        }
        return headBytes + count;
    }

    /// <summary>Returns the header's buffer; to be called after <see cref="Released"/>.</summary>
    public void Dispose() => _head.Dispose();

    void IValueTaskSource.GetResult(short token) => _released.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _released.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _released.OnCompleted(continuation, state, token, flags);
}
