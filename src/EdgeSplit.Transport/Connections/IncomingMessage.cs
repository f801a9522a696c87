using System.Buffers;
using EdgeSplit.Compression;
using EdgeSplit.Tensors;
using EdgeSplit.Transport.Compression;
using EdgeSplit.Transport.Framing;
using EdgeSplit.Transport.Messages;

namespace EdgeSplit.Transport.Connections;

/// <summary>
/// A message that is arriving or has arrived, with a buffer of its own for each tensor. The receive loop fills the buffers;
/// whoever takes the message over disposes of it, which gives back its share of the connection's budget and the buffers of
/// tensors that were not taken.
/// </summary>
internal sealed class IncomingMessage : IDisposable
{
    private readonly IMemoryOwner<byte>?[] _buffers;
    private readonly ReceiveBudget _budget;
    private readonly TensorBufferPool _pool;
    private int _tensor;
    private int _offset;
    private bool _isReceiving;
    private bool _isDisposed;

    /// <summary>Allocates the buffers. The body's bytes are taken from the budget already.</summary>
    /// <exception cref="OutOfMemoryException">The memory is not to be had; the bytes were given back to the budget.</exception>
    public IncomingMessage(FramePrefix prefix, MessageHead head, TensorBufferPool pool, ReceiveBudget budget)
    {
        StreamId = prefix.StreamId;
        IsRequest = prefix.Type == FrameType.Request;
        Head = head;
        _budget = budget;
        _pool = pool;
        RemainingBytes = head.BodyBytes;
        _buffers = head.Tensors.Length == 0 ? [] : new IMemoryOwner<byte>?[head.Tensors.Length];
        try
        {
            for (int i = 0; i < _buffers.Length; i++)
            {
                if (head.Tensors[i].ByteCount > 0)
                    _buffers[i] = pool.Rent(head.Tensors[i].ByteCount);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public uint StreamId { get; }

    public bool IsRequest { get; }

    /// <summary>What it says of itself. It also guards the message's state: an object for that alone would be one more for each message.</summary>
    public MessageHead Head { get; }

    /// <summary>Bytes of the body that have not arrived.</summary>
    public long RemainingBytes { get; private set; }

    public bool IsComplete => RemainingBytes == 0;

    /// <summary>Memory for the next bytes of the body, at most <paramref name="maxBytes"/>; empty if nobody wants them any more.</summary>
    public Memory<byte> BeginReceive(int maxBytes)
    {
        lock (Head)
        {
            if (_isDisposed)
                return default;
            while (_offset == Head.Tensors[_tensor].ByteCount)
            {
                _tensor++;
                _offset = 0;
            }
            _isReceiving = true;
            return _buffers[_tensor]!.Memory.Slice(_offset, Math.Min(maxBytes, Head.Tensors[_tensor].ByteCount - _offset));
        }
    }

    /// <summary>Ends what <see cref="BeginReceive"/> began.</summary>
    public void EndReceive(int byteCount)
    {
        lock (Head)
        {
            _isReceiving = false;
            _offset += byteCount;
            RemainingBytes -= byteCount;
            if (_isDisposed)
                ReturnBuffers();
        }
    }

    /// <summary>Hands over the tensors, which the caller disposes of.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.ProtocolViolation"/>: two have one name, or a string is damaged.</exception>
    public Dictionary<string, Tensor> TakeTensors()
    {
        var tensors = new Dictionary<string, Tensor>(_buffers.Length);
        try
        {
            for (int i = 0; i < _buffers.Length; i++)
            {
                TensorPart part = Head.Tensors[i];
                if (tensors.ContainsKey(part.Name))
                    throw ProtocolError.Violation($"a message has two tensors named '{part.Name}'");
                tensors.Add(part.Name, Take(part, ref _buffers[i]));
            }
            return tensors;
        }
        catch
        {
            tensors.DisposeTensors();
            throw;
        }
    }

    public void Dispose()
    {
        lock (Head)
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
            // A buffer that is being received into is returned when that ends.
            if (!_isReceiving)
                ReturnBuffers();
        }
        _budget.Release(Head.CreditBytes);
    }

    private Tensor Take(TensorPart part, ref IMemoryOwner<byte>? buffer)
    {
        if (part.ElementType == TensorElementType.String)
        {
            try
            {
                return StringTensorCodec.Decode(part.Shape, buffer is null ? default : buffer.Memory.Span);
            }
            catch (FormatException exception)
            {
                throw ProtocolError.Violation($"tensor '{part.Name}' is malformed ({exception.Message})", exception);
            }
        }
        if (part.Encoding != ActivationEncoding.None)
        {
            using IMemoryOwner<byte>? encoded = buffer;
            buffer = null;
            return ActivationCodec.Decode(part, encoded is null ? default : encoded.Memory.Span, _pool)
                ?? throw ProtocolError.Violation($"tensor '{part.Name}' is not what {part.Encoding} makes of {part.ElementType} {part.Shape}");
        }
        Tensor tensor = buffer is null
            ? Tensor.Wrap(part.ElementType, part.Shape, default)
            : Tensor.FromOwner(part.ElementType, part.Shape, buffer);
        buffer = null;
        return tensor;
    }

    private void ReturnBuffers()
    {
        for (int i = 0; i < _buffers.Length; i++)
        {
            _buffers[i]?.Dispose();
            _buffers[i] = null;
        }
    }
}
