using System.Buffers;
using EdgeSplit.Transport.Duplex;
using EdgeSplit.Transport.Framing;

namespace EdgeSplit.Transport.Testing.Internal;

/// <summary>
/// Receives whole frames, keeps some back, and gives them in another order: those of one stream in theirs, the handshake first, the
/// last frame last. Frames are kept back only as long as others are there.
/// </summary>
internal sealed class ReorderedReceive(IDuplexConnection inner, int seed)
{
    private const int MostKept = 16;
    private const int ChunkBytes = 64 * 1024;
    private const int Patience = 32;

    private readonly Random _random = new(seed);
    private readonly byte[] _chunk = new byte[ChunkBytes];
    private readonly List<Queue<ReadOnlyMemory<byte>>> _streams = [];
    private readonly Dictionary<uint, Queue<ReadOnlyMemory<byte>>> _streamsById = [];
    private ReadOnlyMemory<byte> _unparsed;
    private ReadOnlyMemory<byte> _giving;
    private Task<int>? _receiving;
    private bool _hasPreamble;
    private bool _isFlushing;
    private bool _isEnded;
    private int _kept;

    public async ValueTask<int> ReceiveAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        while (_giving.IsEmpty)
        {
            await GatherAsync(cancellationToken).ConfigureAwait(false);
            if (_kept > 0)
                _giving = Take();
            else if (_isEnded)
                (_giving, _unparsed) = (_unparsed, default);
            if (_giving.IsEmpty && _isEnded)
                return 0;
        }
        int count = Math.Min(destination.Length, _giving.Length);
        _giving[..count].CopyTo(destination);
        _giving = _giving[count..];
        return count;
    }

    private async ValueTask GatherAsync(CancellationToken cancellationToken)
    {
        while (!_isEnded && !_isFlushing && _kept < MostKept && _giving.IsEmpty)
        {
            _receiving ??= inner.ReceiveAsync(_chunk, CancellationToken.None).AsTask();
            for (int i = 0; i < Patience && _kept > 0 && !_receiving.IsCompleted; i++)
                await Task.Yield();
            if (_kept > 0 && !_receiving.IsCompleted)
                return;
            int count = await _receiving.WaitAsync(cancellationToken).ConfigureAwait(false);
            _receiving = null;
            _isEnded = count == 0;
            _unparsed = (byte[])[.. _unparsed.Span, .. _chunk.AsSpan(0, count)];
            Parse();
        }
    }

    private void Parse()
    {
        if (!_hasPreamble)
        {
            if (_unparsed.Length < Preamble.ByteCount)
                return;
            _hasPreamble = true;
            Keep(0, Preamble.ByteCount);
        }
        while (_unparsed.Length >= FramePrefix.ByteCount && !_isFlushing)
        {
            FramePrefix prefix = FramePrefix.Read(new ReadOnlySequence<byte>(_unparsed), int.MaxValue);
            long length = (long)FramePrefix.ByteCount + prefix.HeaderBytes + prefix.PaddingBytes + prefix.BodyBytes;
            if (_unparsed.Length < length)
                return;
            // The last frame ends all streams, so all that came before it must be given before it.
            if (prefix.Type == FrameType.Close)
                _isFlushing = true;
            else
                Keep(prefix.StreamId, (int)length);
        }
    }

    private void Keep(uint streamId, int length)
    {
        if (!_streamsById.TryGetValue(streamId, out Queue<ReadOnlyMemory<byte>>? frames))
            _streams.Add(_streamsById[streamId] = frames = new Queue<ReadOnlyMemory<byte>>());
        frames.Enqueue(_unparsed[..length]);
        _unparsed = _unparsed[length..];
        _kept++;
    }

    private ReadOnlyMemory<byte> Take()
    {
        // The first stream is that of the connection, which begins with the handshake.
        Queue<ReadOnlyMemory<byte>> frames = _streams[0];
        bool isHandshake = frames.TryPeek(out ReadOnlyMemory<byte> first) && (first.Span[0] < (byte)FrameType.Ping || first.Span[0] == (byte)'E');
        while (!isHandshake && (frames = _streams[_random.Next(_streams.Count)]).Count == 0)
        {
        }
        _kept--;
        ReadOnlyMemory<byte> taken = frames.Dequeue();
        if (_kept == 0 && _isFlushing)
            _isEnded = true;
        return taken;
    }
}
