using System.Buffers;
using System.IO.Pipelines;
using EdgeSplit.Transport.Duplex;
using EdgeSplit.Transport.Duplex.Internal;

namespace EdgeSplit.Transport.Framing;

/// <summary>
/// The receiving half of a connection: small things (preamble, prefixes, headers) through a pipe reader, bodies straight from
/// the connection into their final memory once what the pipe has read ahead is used up.
/// </summary>
internal sealed class FrameSource : IDisposable
{
    // Enough to take a small message whole; of a large body this much at most is copied once.
    private const int ReadAheadBytes = 16 * 1024;

    private readonly IDuplexConnection _connection;
    private readonly PipeReader _pipe;
    private readonly TimeProvider _timeProvider;
    private long _lastReceived;
    private SequencePosition _bodyStart;

    public FrameSource(IDuplexConnection connection, TimeProvider timeProvider)
    {
        _connection = connection;
        _timeProvider = timeProvider;
        _lastReceived = timeProvider.GetTimestamp();
        _pipe = PipeReader.Create(
            new DuplexStream(connection),
            new StreamPipeReaderOptions(bufferSize: ReadAheadBytes, minimumReadSize: ReadAheadBytes / 4, leaveOpen: true));
    }

    /// <summary>The time since the last byte came.</summary>
    public TimeSpan Silence => _timeProvider.GetElapsedTime(Volatile.Read(ref _lastReceived));

    /// <summary>The header of the frame that was peeked at.</summary>
    public ReadOnlySequence<byte> Header { get; private set; }

    /// <summary>Waits until <paramref name="byteCount"/> bytes are there. They stay until <see cref="Consume"/> takes them.</summary>
    /// <exception cref="EndOfStreamException">The peer sends no more.</exception>
    public async ValueTask<ReadOnlySequence<byte>> PeekAsync(int byteCount, CancellationToken cancellationToken)
    {
        ReadResult result = await _pipe.ReadAtLeastAsync(byteCount, cancellationToken).ConfigureAwait(false);
        Volatile.Write(ref _lastReceived, _timeProvider.GetTimestamp());
        return result.Buffer.Length < byteCount ? throw Ended() : result.Buffer;
    }

    /// <summary>
    /// Waits for the next frame up to its body. <see cref="Header"/> stays valid until <see cref="ConsumeHead"/>; the body follows.
    /// </summary>
    /// <exception cref="EndOfStreamException">The peer sends no more.</exception>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.ProtocolViolation"/>.</exception>
    public async ValueTask<FramePrefix> PeekFrameAsync(int maxHeaderBytes, CancellationToken cancellationToken)
    {
        ReadResult read = await ReadHeadAsync(FramePrefix.ByteCount, cancellationToken).ConfigureAwait(false);
        FramePrefix prefix;
        while (!TryPeekFrame(read, maxHeaderBytes, out prefix, out int headBytes))
            read = await ReadHeadAsync(headBytes, cancellationToken).ConfigureAwait(false);
        return prefix;
    }

    /// <summary>Waits for bytes of a frame's head, for <see cref="TryPeekFrame"/> to look at.</summary>
    public ValueTask<ReadResult> ReadHeadAsync(int byteCount, CancellationToken cancellationToken) => _pipe.ReadAtLeastAsync(byteCount, cancellationToken);

    /// <summary>Looks whether what was read has a frame's head, as <see cref="PeekFrameAsync"/> gives it, without an asynchronous method of its own.</summary>
    /// <param name="read">What was read.</param>
    /// <param name="maxHeaderBytes">The longest header that is taken.</param>
    /// <param name="prefix">The frame's prefix.</param>
    /// <param name="headBytes">The bytes of the head; to be read where this returns false.</param>
    /// <exception cref="EndOfStreamException">The peer sends no more.</exception>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.ProtocolViolation"/>.</exception>
    public bool TryPeekFrame(in ReadResult read, int maxHeaderBytes, out FramePrefix prefix, out int headBytes)
    {
        Volatile.Write(ref _lastReceived, _timeProvider.GetTimestamp());
        ReadOnlySequence<byte> bytes = read.Buffer;
        if (bytes.Length < FramePrefix.ByteCount)
            throw Ended();
        prefix = FramePrefix.Read(bytes, maxHeaderBytes);
        headBytes = FramePrefix.ByteCount + prefix.HeaderBytes + prefix.PaddingBytes;
        if (bytes.Length < headBytes)
        {
            if (read.IsCompleted)
                throw Ended();
            _pipe.AdvanceTo(bytes.Start, bytes.End);
            return false;
        }
        Header = bytes.Slice(FramePrefix.ByteCount, prefix.HeaderBytes);
        _bodyStart = bytes.GetPosition(headBytes);
        return true;
    }

    /// <summary>Ends what <see cref="PeekFrameAsync"/> began.</summary>
    public void ConsumeHead()
    {
        Header = default;
        _pipe.AdvanceTo(_bodyStart);
    }

    /// <summary>Ends a peek; bytes from <paramref name="position"/> on are seen again by the next one.</summary>
    public void Consume(SequencePosition position) => _pipe.AdvanceTo(position);

    /// <summary>Receives bytes of a body past what was read ahead; what comes is to be told to <see cref="Received"/>.</summary>
    public ValueTask<int> ReceiveSomeAsync(Memory<byte> destination) => _connection.ReceiveAsync(destination, CancellationToken.None);

    /// <summary>Notes that bytes of a body came, and returns their number.</summary>
    /// <exception cref="EndOfStreamException">There were none: the peer sends no more.</exception>
    public int Received(int byteCount)
    {
        if (byteCount == 0)
            throw new EndOfStreamException("The peer closed the connection within a message.");
        Volatile.Write(ref _lastReceived, _timeProvider.GetTimestamp());
        return byteCount;
    }

    /// <summary>Takes what was read ahead of a body.</summary>
    /// <returns>The bytes taken.</returns>
    public int TakeReadAhead(Memory<byte> destination)
    {
        if (!_pipe.TryRead(out ReadResult result))
            return 0;
        int count = (int)Math.Min(result.Buffer.Length, destination.Length);
        ReadOnlySequence<byte> taken = result.Buffer.Slice(0, count);
        taken.CopyTo(destination.Span);
        _pipe.AdvanceTo(taken.End);
        return count;
    }

    /// <summary>Receives bytes that nobody wants.</summary>
    public async ValueTask SkipAsync(int byteCount)
    {
        byte[] scratch = ArrayPool<byte>.Shared.Rent(Math.Min(byteCount, 64 * 1024));
        try
        {
            for (int left = byteCount; left > 0;)
            {
                Memory<byte> piece = scratch.AsMemory(0, Math.Min(left, scratch.Length));
                int count = TakeReadAhead(piece);
                left -= count > 0 ? count : Received(await ReceiveSomeAsync(piece).ConfigureAwait(false));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(scratch);
        }
    }

    public void Dispose() => _pipe.Complete();

    private static EndOfStreamException Ended() => new("The peer closed the connection.");
}
