using EdgeSplit.Tensors;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Grpc.Core;

namespace EdgeSplit.Grpc.Messages;

/// <summary>Puts the tensors of a message together from its parts. Disposes of what nobody took.</summary>
/// <param name="pool">Gives the memory.</param>
/// <param name="maxTensorBytes">The largest tensor that is taken.</param>
/// <param name="reservation">Takes what the message holds of a budget, and ends with this; null for no limit.</param>
internal sealed class TensorReceiver(TensorBufferPool pool, int maxTensorBytes, BufferReservation? reservation = null) : IDisposable
{
    private const int MaxTensors = 4096;
    private const int MaxRank = 64;

    private Dictionary<string, Tensor>? _tensors = [];

    /// <summary>Reads a message to the end of its stream.</summary>
    /// <returns>The first part, whose tensors are then here.</returns>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.ProtocolViolation"/> or <see cref="EdgeSplitError.Overloaded"/>.</exception>
    public async Task<T> ReceiveAsync<T>(IAsyncStreamReader<T> reader, CancellationToken cancellationToken)
        where T : class, ITensorMessage
    {
        if (!await reader.MoveNext(cancellationToken).ConfigureAwait(false))
            throw Wrong("the stream ended before its first message");
        T first = reader.Current;
        CheckHeaders(first.Tensors);
        ByteString piece = first.Data;
        int offset = 0;
        foreach (V1.TensorHeader header in first.Tensors)
        {
            int byteCount = (int)header.ByteCount;
            using var filling = new Filling(header, byteCount, pool);
            int filled = 0;
            while (filled < byteCount)
            {
                if (offset == piece.Length)
                {
                    if (!await reader.MoveNext(cancellationToken).ConfigureAwait(false))
                        throw Wrong($"the stream ended within tensor '{header.Name}'");
                    (piece, offset) = (reader.Current.Data, 0);
                    continue;
                }
                int count = Math.Min(byteCount - filled, piece.Length - offset);
                piece.Span.Slice(offset, count).CopyTo(filling.Bytes.Span[filled..]);
                filled += count;
                offset += count;
            }
            _tensors![header.Name] = filling.Finish();
        }
        bool isLeft = offset < piece.Length;
        while (await reader.MoveNext(cancellationToken).ConfigureAwait(false))
            isLeft |= reader.Current.Data.Length > 0;
        return isLeft ? throw Wrong("bytes are left over after the last tensor") : first;
    }

    /// <summary>Gives the tensors to the caller.</summary>
    public Dictionary<string, Tensor> Take()
    {
        Dictionary<string, Tensor> tensors = _tensors!;
        _tensors = null;
        return tensors;
    }

    /// <summary>Disposes of tensors that were not taken, and frees the budget.</summary>
    public void Dispose()
    {
        if (_tensors is not null)
        {
            _tensors.DisposeTensors();
            _tensors = null;
        }
        reservation?.Dispose();
    }

    private void CheckHeaders(RepeatedField<V1.TensorHeader> headers)
    {
        if (headers.Count > MaxTensors)
            throw Wrong($"a message has {headers.Count} tensors; at most {MaxTensors} are taken");
        long total = 0;
        var names = new HashSet<string>(headers.Count);
        foreach (V1.TensorHeader header in headers)
        {
            if (!names.Add(header.Name))
                throw Wrong($"the tensor '{header.Name}' is there twice");
            if (header.Shape.Count > MaxRank)
                throw Wrong($"tensor '{header.Name}' has {header.Shape.Count} dimensions; at most {MaxRank} are taken");
            if (header.ByteCount < 0 || header.ByteCount > maxTensorBytes)
            {
                throw new EdgeSplitException(
                    EdgeSplitError.InvalidInput, $"Tensor '{header.Name}' has {header.ByteCount} bytes; at most {maxTensorBytes} are taken. Raise {nameof(GrpcOptions.MaxTensorBytes)}.");
            }
            CheckLength(header);
            total += header.ByteCount;
        }
        reservation?.Reserve(total);
    }

    private static void CheckLength(V1.TensorHeader header)
    {
        var type = (TensorElementType)header.ElementType;
        bool fits;
        try
        {
            long count = new TensorShape([.. header.Shape]).ElementCount;
            fits = type == TensorElementType.String
                ? count <= header.ByteCount / StringTensorCodec.LengthBytes
                : type.BitsPerElement() != 0 && type.ByteCount(count) == header.ByteCount;
        }
        catch (Exception exception) when (exception is ArgumentException or OverflowException)
        {
            fits = false;
        }
        if (!fits)
            throw Wrong($"{header.ByteCount} bytes do not make the tensor '{header.Name}' of {type} [{string.Join(", ", header.Shape)}]");
    }

    private static EdgeSplitException Wrong(string what) =>
        new(EdgeSplitError.ProtocolViolation, $"The other side does not keep to edgesplit.v1: {what}.");

    /// <summary>The buffer of a tensor that is not whole yet.</summary>
    private sealed class Filling : IDisposable
    {
        private readonly V1.TensorHeader _header;
        private Tensor? _tensor;

        public Filling(V1.TensorHeader header, int byteCount, TensorBufferPool pool)
        {
            _header = header;
            bool isString = header.ElementType == V1.ElementType.String;
            _tensor = Tensor.Allocate(
                isString ? TensorElementType.UInt8 : (TensorElementType)header.ElementType,
                isString ? new TensorShape(byteCount) : new TensorShape([.. header.Shape]),
                out Memory<byte> bytes,
                pool);
            Bytes = bytes;
        }

        public Memory<byte> Bytes { get; }

        public Tensor Finish()
        {
            if (_header.ElementType == V1.ElementType.String)
            {
                try
                {
                    return StringTensorCodec.Decode(new TensorShape([.. _header.Shape]), Bytes.Span);
                }
                catch (FormatException exception)
                {
                    throw Wrong($"tensor '{_header.Name}': {exception.Message}");
                }
            }
            Tensor tensor = _tensor!;
            _tensor = null;
            return tensor;
        }

        public void Dispose() => _tensor?.Dispose();
    }
}
