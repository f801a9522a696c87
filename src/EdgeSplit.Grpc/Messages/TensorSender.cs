using System.Buffers;
using EdgeSplit.Tensors;
using Google.Protobuf;
using Grpc.Core;

namespace EdgeSplit.Grpc.Messages;

/// <summary>Writes a message with its tensors in parts that every message limit lets pass.</summary>
internal static class TensorSender
{
    /// <summary>The most bytes of tensors in one part; the least limit that gRPC libraries come with is 4 MiB.</summary>
    public const int PartBytes = 256 * 1024;

    /// <summary>Writes a message.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="first">The first part, all but tensors set.</param>
    /// <param name="tensors">The tensors by name; borrowed until the task completes, and not copied.</param>
    /// <param name="pool">Gives memory for strings.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public static async Task SendAsync<T>(
        IAsyncStreamWriter<T> writer, T first, IReadOnlyDictionary<string, Tensor> tensors, TensorBufferPool pool, CancellationToken cancellationToken)
        where T : class, ITensorMessage, new()
    {
        var strings = new List<IMemoryOwner<byte>>();
        try
        {
            var bodies = new List<ReadOnlyMemory<byte>>(tensors.Count);
            long total = 0;
            foreach ((string name, Tensor tensor) in tensors)
            {
                ReadOnlyMemory<byte> body = BytesOf(tensor, pool, strings);
                var header = new V1.TensorHeader { Name = name, ElementType = (V1.ElementType)tensor.ElementType, ByteCount = body.Length };
                header.Shape.Add(tensor.Shape.Dimensions);
                first.Tensors.Add(header);
                bodies.Add(body);
                total += body.Length;
            }
            if (total <= PartBytes)
            {
                first.Data = Joined(bodies, (int)total);
                await writer.WriteAsync(first, cancellationToken).ConfigureAwait(false);
                return;
            }
            await writer.WriteAsync(first, cancellationToken).ConfigureAwait(false);
            foreach (ReadOnlyMemory<byte> body in bodies)
            {
                for (int offset = 0; offset < body.Length; offset += PartBytes)
                {
                    // What is wrapped is written out before the task completes, so the tensor's bytes are not copied here.
                    ReadOnlyMemory<byte> piece = body.Slice(offset, Math.Min(PartBytes, body.Length - offset));
                    await writer.WriteAsync(new T { Data = UnsafeByteOperations.UnsafeWrap(piece) }, cancellationToken).ConfigureAwait(false);
                }
            }
        }
        finally
        {
            foreach (IMemoryOwner<byte> owner in strings)
                owner.Dispose();
        }
    }

    private static ReadOnlyMemory<byte> BytesOf(Tensor tensor, TensorBufferPool pool, List<IMemoryOwner<byte>> owners)
    {
        if (tensor.ElementType != TensorElementType.String)
            return tensor.Bytes;
        long byteCount = StringTensorCodec.EncodedBytes(tensor);
        if (byteCount > pool.MaxBufferSize)
            throw new EdgeSplitException(EdgeSplitError.InvalidInput, $"A tensor of strings takes {byteCount} bytes; at most {pool.MaxBufferSize} can be sent.");
        IMemoryOwner<byte> owner = StringTensorCodec.Encode(tensor, (int)byteCount, pool);
        owners.Add(owner);
        return owner.Memory;
    }

    private static ByteString Joined(List<ReadOnlyMemory<byte>> bodies, int total)
    {
        if (total == 0)
            return ByteString.Empty;
        if (bodies.Count == 1)
            return UnsafeByteOperations.UnsafeWrap(bodies[0]);
        byte[] joined = new byte[total];
        int offset = 0;
        foreach (ReadOnlyMemory<byte> body in bodies)
        {
            body.CopyTo(joined.AsMemory(offset));
            offset += body.Length;
        }
        return UnsafeByteOperations.UnsafeWrap(joined);
    }
}
