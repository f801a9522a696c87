using System.Buffers;
using System.Diagnostics;
using EdgeSplit.Compression;
using EdgeSplit.Tensors;
using EdgeSplit.Transport.Compression;
using EdgeSplit.Transport.Framing;
using EdgeSplit.Transport.Messages;

namespace EdgeSplit.Transport.Connections;

/// <summary>Makes messages out of payloads and tensors, checked against what the peer takes.</summary>
internal sealed class MessageEncoder(WireLimits peerLimits, string peerName, TensorBufferPool pool)
{
    /// <param name="streamId">The request's stream.</param>
    /// <param name="payload">The arguments.</param>
    /// <param name="tensors">The body; borrowed until the message is released.</param>
    /// <param name="timeLimit">How long the caller waits.</param>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidInput"/>: the peer does not take so much.</exception>
    public OutgoingMessage Request(uint streamId, Payload payload, IReadOnlyDictionary<string, Tensor>? tensors, TimeSpan? timeLimit)
    {
        Activity? activity = Activity.Current is { IdFormat: ActivityIdFormat.W3C } current ? current : null;
        var head = new MessageHead(payload, new TensorPart[tensors?.Count ?? 0], timeLimit, activity?.Id, activity?.TraceStateString);
        return Encode(FrameType.Request, streamId, head, tensors);
    }

    /// <inheritdoc cref="Request"/>
    public OutgoingMessage Response(uint streamId, Payload payload, IReadOnlyDictionary<string, Tensor>? tensors) =>
        Encode(FrameType.Response, streamId, new MessageHead(payload, new TensorPart[tensors?.Count ?? 0]), tensors);

    public static OutgoingMessage Failure(FrameType type, uint streamId, FailureHead failure)
    {
        var buffer = new HeaderBuffer();
        buffer.Advance(FramePrefix.ByteCount);
        failure.Write(buffer);
        return new OutgoingMessage(type, streamId, buffer, []);
    }

    private OutgoingMessage Encode(FrameType type, uint streamId, MessageHead head, IReadOnlyDictionary<string, Tensor>? tensors)
    {
        List<IDisposable>? encoded = null;
        var buffer = new HeaderBuffer();
        try
        {
            ReadOnlyMemory<byte>[] body = AddTensors(tensors, head, ref encoded);
            buffer.Advance(FramePrefix.ByteCount);
            if (type == FrameType.Request)
                head.WriteRequest(buffer);
            else
                head.WriteResponse(buffer);
            int headerBytes = buffer.Length - FramePrefix.ByteCount;
            if (headerBytes > peerLimits.MaxHeaderBytes)
                throw TooLarge($"The message's header has {headerBytes} bytes", peerLimits.MaxHeaderBytes);
            if (head.CreditBytes > peerLimits.MaxBufferedBytes)
                throw TooLarge($"The message's tensors have {head.CreditBytes} bytes together", peerLimits.MaxBufferedBytes);
            return new OutgoingMessage(type, streamId, buffer, body, head.CreditBytes, encoded);
        }
        catch
        {
            buffer.Dispose();
            encoded?.ForEach(static strings => strings.Dispose());
            throw;
        }
    }

    private ReadOnlyMemory<byte>[] AddTensors(IReadOnlyDictionary<string, Tensor>? tensors, MessageHead head, ref List<IDisposable>? encoded)
    {
        TensorPart[] parts = head.Tensors;
        if (tensors is null || parts.Length == 0)
            return [];
        var body = new ReadOnlyMemory<byte>[parts.Length];
        int index = 0;
        // Most are dictionaries, whose own enumerator is no object.
        if (tensors is Dictionary<string, Tensor> dictionary)
        {
            foreach ((string name, Tensor tensor) in dictionary)
                body[index] = Add(name, tensor, head, ref parts[index++], ref encoded);
        }
        else
        {
            foreach ((string name, Tensor tensor) in tensors)
                body[index] = Add(name, tensor, head, ref parts[index++], ref encoded);
        }
        return body;
    }

    private ReadOnlyMemory<byte> Add(string name, Tensor tensor, MessageHead head, ref TensorPart part, ref List<IDisposable>? encoded)
    {
        ReadOnlyMemory<byte> bytes = tensor.ElementType == TensorElementType.String ? Encode(name, tensor, ref encoded) : tensor.Bytes;
        CheckSize(name, bytes.Length);
        ActivationEncoding encoding = head.Payload.Encoding;
        if (ActivationCodec.TryEncode(tensor, encoding, pool, out IMemoryOwner<byte>? owner, out int encodedBytes))
        {
            (encoded ??= []).Add(owner);
            bytes = owner.Memory[..encodedBytes];
        }
        else
        {
            encoding = ActivationEncoding.None;
        }
        part = new TensorPart(name, tensor.ElementType, tensor.Shape, bytes.Length, encoding);
        return bytes;
    }

    private Memory<byte> Encode(string name, Tensor strings, ref List<IDisposable>? encoded)
    {
        long byteCount = StringTensorCodec.EncodedBytes(strings);
        CheckSize(name, byteCount);
        IMemoryOwner<byte> owner = StringTensorCodec.Encode(strings, (int)byteCount, pool);
        (encoded ??= []).Add(owner);
        return owner.Memory;
    }

    private void CheckSize(string name, long byteCount)
    {
        if (byteCount > peerLimits.MaxTensorBytes)
            throw TooLarge($"Tensor '{name}' has {byteCount} bytes", peerLimits.MaxTensorBytes);
    }

    private EdgeSplitException TooLarge(string what, long limit) => new(
        EdgeSplitError.InvalidInput, $"{what}; {peerName} takes at most {limit}. Raise its limit or make the cut elsewhere.");
}
