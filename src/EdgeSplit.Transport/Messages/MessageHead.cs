using System.Buffers;
using EdgeSplit.Transport.Framing;
using MessagePack;

namespace EdgeSplit.Transport.Messages;

/// <summary>The header of a request or response frame.</summary>
/// <param name="Payload">The operation and its arguments.</param>
/// <param name="Tensors">The tensors whose bytes follow, in this order.</param>
/// <param name="TimeLimit">Of a request: how long the asking side waits; null without a deadline.</param>
/// <param name="TraceParent">Of a request: the W3C <c>traceparent</c> of the caller; null without one.</param>
/// <param name="TraceState">Of a request: the W3C <c>tracestate</c>.</param>
internal sealed record MessageHead(
    Payload Payload, TensorPart[] Tensors, TimeSpan? TimeLimit = null, string? TraceParent = null, string? TraceState = null)
{
    /// <summary>A tensor costs some memory beside its bytes, so their number is limited even where the header has room.</summary>
    private const int MaxTensors = 4096;

    public long BodyBytes
    {
        get
        {
            long sum = 0;
            foreach (TensorPart tensor in Tensors)
                sum += tensor.ByteCount;
            return sum;
        }
    }

    /// <summary>The memory that the tensors take at their receiver, for which the sender needs credit.</summary>
    public long CreditBytes
    {
        get
        {
            long sum = 0;
            foreach (TensorPart tensor in Tensors)
                sum += tensor.MemoryBytes;
            return sum;
        }
    }

    public void WriteRequest(IBufferWriter<byte> destination)
    {
        var writer = new MessagePackWriter(destination);
        writer.WriteArrayHeader(6);
        writer.Write((byte)Payload.Operation);
        writer.WriteOptional(TimeLimit is { } limit ? (long)Math.Ceiling(limit.TotalMilliseconds) : null);
        writer.Write(TraceParent);
        writer.Write(TraceState);
        Payload.Write(ref writer);
        WriteTensors(ref writer);
        writer.Flush();
    }

    public void WriteResponse(IBufferWriter<byte> destination)
    {
        var writer = new MessagePackWriter(destination);
        writer.WriteArrayHeader(3);
        writer.Write((byte)Payload.Operation);
        Payload.Write(ref writer);
        WriteTensors(ref writer);
        writer.Flush();
    }

    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.ProtocolViolation"/>.</exception>
    public static MessageHead ReadRequest(in ReadOnlySequence<byte> header, int maxTensorBytes)
    {
        try
        {
            var reader = new MessagePackReader(header);
            reader.ReadArrayHeaderOf(6);
            var operation = (Operation)reader.ReadByte();
            long? timeLimit = reader.ReadOptionalInt64();
            string? traceParent = reader.ReadString();
            string? traceState = reader.ReadString();
            Payload payload = Payload.ReadRequest(operation, ref reader);
            var head = new MessageHead(
                payload,
                ReadTensors(ref reader, maxTensorBytes),
                timeLimit is { } milliseconds ? TimeSpan.FromMilliseconds(Math.Clamp(milliseconds, 0, int.MaxValue)) : null,
                traceParent,
                traceState);
            return reader.End ? head : throw new MessagePackSerializationException("bytes are left over");
        }
        catch (Exception exception) when (ProtocolError.IsMalformedInput(exception))
        {
            throw ProtocolError.Violation($"a request's header is malformed ({exception.Message})", exception);
        }
    }

    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.ProtocolViolation"/>.</exception>
    public static MessageHead ReadResponse(in ReadOnlySequence<byte> header, int maxTensorBytes)
    {
        try
        {
            var reader = new MessagePackReader(header);
            reader.ReadArrayHeaderOf(3);
            var operation = (Operation)reader.ReadByte();
            Payload payload = Payload.ReadResponse(operation, ref reader);
            var head = new MessageHead(payload, ReadTensors(ref reader, maxTensorBytes));
            return reader.End ? head : throw new MessagePackSerializationException("bytes are left over");
        }
        catch (Exception exception) when (ProtocolError.IsMalformedInput(exception))
        {
            throw ProtocolError.Violation($"a response's header is malformed ({exception.Message})", exception);
        }
    }

    private void WriteTensors(ref MessagePackWriter writer)
    {
        writer.WriteArrayHeader(Tensors.Length);
        foreach (TensorPart tensor in Tensors)
            tensor.Write(ref writer);
    }

    private static TensorPart[] ReadTensors(ref MessagePackReader reader, int maxTensorBytes)
    {
        int count = reader.ReadArrayHeader();
        if (count > MaxTensors)
            throw new MessagePackSerializationException($"a message has {count} tensors; at most {MaxTensors} are taken");
        if (count == 0)
            return [];
        var tensors = new TensorPart[count];
        for (int i = 0; i < count; i++)
            tensors[i] = TensorPart.Read(ref reader, maxTensorBytes);
        return tensors;
    }
}
