using System.Buffers;
using System.Diagnostics;
using EdgeSplit.Tensors;
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
    /// <param name="encodedStrings">Buffers to dispose of after the message is released.</param>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidInput"/>: the peer does not take so much.</exception>
    public OutgoingMessage Request(
        uint streamId, Payload payload, IReadOnlyDictionary<string, Tensor>? tensors, TimeSpan? timeLimit, List<IDisposable> encodedStrings)
    {
        List<ReadOnlyMemory<byte>> body = [];
        TensorPart[] parts = AddTensors(tensors, body, encodedStrings);
        Activity? activity = Activity.Current is { IdFormat: ActivityIdFormat.W3C } current ? current : null;
        var head = new MessageHead(payload, parts, timeLimit, activity?.Id, activity?.TraceStateString);
        return Encode(FrameType.Request, streamId, body, head.WriteRequest);
    }

    /// <inheritdoc cref="Request"/>
    public OutgoingMessage Response(
        uint streamId, Payload payload, IReadOnlyDictionary<string, Tensor>? tensors, List<IDisposable> encodedStrings)
    {
        List<ReadOnlyMemory<byte>> body = [];
        TensorPart[] parts = AddTensors(tensors, body, encodedStrings);
        return Encode(FrameType.Response, streamId, body, new MessageHead(payload, parts).WriteResponse);
    }

    public static OutgoingMessage Failure(FrameType type, uint streamId, FailureHead failure)
    {
        var buffer = new HeaderBuffer();
        buffer.Advance(FramePrefix.ByteCount);
        failure.Write(buffer);
        return new OutgoingMessage(type, streamId, buffer, []);
    }

    private OutgoingMessage Encode(FrameType type, uint streamId, List<ReadOnlyMemory<byte>> body, Action<IBufferWriter<byte>> write)
    {
        var buffer = new HeaderBuffer();
        buffer.Advance(FramePrefix.ByteCount);
        write(buffer);
        int headerBytes = buffer.Length - FramePrefix.ByteCount;
        var message = new OutgoingMessage(type, streamId, buffer, body);
        if (headerBytes <= peerLimits.MaxHeaderBytes && message.BodyBytes <= peerLimits.MaxBufferedBytes)
            return message;
        message.Dispose();
        throw headerBytes > peerLimits.MaxHeaderBytes
            ? TooLarge($"The message's header has {headerBytes} bytes", peerLimits.MaxHeaderBytes)
            : TooLarge($"The message's tensors have {message.BodyBytes} bytes together", peerLimits.MaxBufferedBytes);
    }

    private TensorPart[] AddTensors(
        IReadOnlyDictionary<string, Tensor>? tensors, List<ReadOnlyMemory<byte>> body, List<IDisposable> encodedStrings)
    {
        if (tensors is null || tensors.Count == 0)
            return [];
        var parts = new TensorPart[tensors.Count];
        int index = 0;
        foreach ((string name, Tensor tensor) in tensors)
        {
            ReadOnlyMemory<byte> bytes = BytesOf(name, tensor, encodedStrings);
            if (bytes.Length > peerLimits.MaxTensorBytes)
                throw TooLarge($"Tensor '{name}' has {bytes.Length} bytes", peerLimits.MaxTensorBytes);
            parts[index++] = new TensorPart(name, tensor.ElementType, tensor.Shape, bytes.Length);
            if (!bytes.IsEmpty)
                body.Add(bytes);
        }
        return parts;
    }

    private ReadOnlyMemory<byte> BytesOf(string name, Tensor tensor, List<IDisposable> encodedStrings)
    {
        if (tensor.ElementType != TensorElementType.String)
            return tensor.Bytes;
        long byteCount = StringTensorCodec.EncodedBytes(tensor);
        if (byteCount > peerLimits.MaxTensorBytes)
            throw TooLarge($"Tensor '{name}' has {byteCount} bytes", peerLimits.MaxTensorBytes);
        IMemoryOwner<byte> encoded = StringTensorCodec.Encode(tensor, (int)byteCount, pool);
        encodedStrings.Add(encoded);
        return encoded.Memory;
    }

    private EdgeSplitException TooLarge(string what, long limit) => new(
        EdgeSplitError.InvalidInput, $"{what}; {peerName} takes at most {limit}. Raise its limit or make the cut elsewhere.");
}
