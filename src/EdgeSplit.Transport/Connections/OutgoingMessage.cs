using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
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
    /// <summary>Room for the start of a Data frame.</summary>
    public const int MaxDataHeadBytes = FramePrefix.ByteCount + FramePrefix.MaxPaddingBytes;

    // Below, the copy is not worth the padding.
    private const int LeastAlignedBytes = 4096;

    private readonly HeaderBuffer _head;
    private readonly ReadOnlyMemory<byte>[] _body;
    private readonly List<IDisposable>? _encoded;
    private ManualResetValueTaskSourceCore<bool> _released = new() { RunContinuationsAsynchronously = true };
    private int _bodyIndex;
    private int _bodyOffset;
    private long _sentBytes;
    private int _isReleased;

    /// <param name="type">Request, Response, Failure or Close.</param>
    /// <param name="streamId">The stream.</param>
    /// <param name="head">Room for the prefix, then the header; owned by the message from now on.</param>
    /// <param name="body">The pieces of the body.</param>
    /// <param name="creditBytes">The credit that the message needs; null for as much as its body has.</param>
    /// <param name="encoded">Buffers among the body that end with the message.</param>
    public OutgoingMessage(FrameType type, uint streamId, HeaderBuffer head, ReadOnlyMemory<byte>[] body, long? creditBytes = null, List<IDisposable>? encoded = null)
    {
        _encoded = encoded;
        Type = type;
        StreamId = streamId;
        _head = head;
        _body = body;
        foreach (ReadOnlyMemory<byte> piece in body)
            BodyBytes += piece.Length;
        CreditBytes = creditBytes ?? BodyBytes;
    }

    public FrameType Type { get; }

    public uint StreamId { get; }

    public long BodyBytes { get; }

    /// <summary>The bytes of the body that are still to be sent.</summary>
    public long RemainingBytes => BodyBytes - _sentBytes;

    /// <summary>The bytes of credit that it takes.</summary>
    public long CreditBytes { get; }

    /// <summary>Whether the first frame has been handed to the connection, so that the peer knows of the message.</summary>
    public bool IsStarted { get; private set; }

    public bool IsComplete => IsStarted && RemainingBytes == 0;

    /// <summary>Whether the connection is sending a frame of the message right now.</summary>
    public bool IsBeingSent { get; set; }

    public bool IsAbandoned { get; set; }

    public bool IsReleased => Volatile.Read(ref _isReleased) != 0;

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
    /// <param name="position">The bytes in the batch already, for alignment.</param>
    /// <param name="scratch">Memory for the start of all but the first frame, of <see cref="MaxDataHeadBytes"/> bytes.</param>
    /// <param name="maxBodyBytes">The most bytes of the body that the frame may carry.</param>
    /// <returns>The bytes added.</returns>
    public int AppendFrame(List<ReadOnlyMemory<byte>> batch, int position, Memory<byte> scratch, int maxBodyBytes)
    {
        int count = (int)Math.Min(RemainingBytes, maxBodyBytes);
        int headBytes = IsStarted ? FramePrefix.ByteCount : _head.Length;
        int padding = PaddingAt(position + headBytes, count);
        if (IsStarted)
        {
            new FramePrefix(FrameType.Data, StreamId, 0, count, padding).Write(scratch.Span);
            batch.Add(scratch[..(headBytes + padding)]);
        }
        else
        {
            _head.GetSpan(FramePrefix.MaxPaddingBytes);
            _head.Advance(padding);
            new FramePrefix(Type, StreamId, headBytes - FramePrefix.ByteCount, count, padding).Write(_head.WrittenSpan);
            batch.Add(_head.Written);
            IsStarted = true;
        }
        AppendBody(batch, count);
        return headBytes + padding + count;
    }

    /// <summary>Returns the message's own buffers; to be called after <see cref="Released"/>.</summary>
    public void Dispose()
    {
        _head.Dispose();
        _encoded?.ForEach(static buffer => buffer.Dispose());
    }

    private void AppendBody(List<ReadOnlyMemory<byte>> batch, int count)
    {
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
    }

    // The socket's buffer starts with the batch at an aligned address, so the body is brought to the alignment of its source.
    private unsafe int PaddingAt(int position, int count)
    {
        if (count < LeastAlignedBytes)
            return 0;
        ref byte source = ref MemoryMarshal.GetReference(_body[_bodyIndex].Span[_bodyOffset..]);
        return (int)(((nuint)Unsafe.AsPointer(ref source) - (nuint)position) & FramePrefix.MaxPaddingBytes);
    }

    void IValueTaskSource.GetResult(short token) => _released.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _released.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _released.OnCompleted(continuation, state, token, flags);
}
