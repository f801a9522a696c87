using System.Buffers;
using System.Collections.Immutable;
using EdgeSplit.Grpc.Messages;
using EdgeSplit.Storage;
using Google.Protobuf;
using Grpc.Core;

namespace EdgeSplit.Grpc.Agents;

/// <summary>The coordinator's side of a load: gives the agent the blobs of that partition, and no others, piece by piece.</summary>
internal sealed class LentBlobs(IBlobSource source, ImmutableArray<BlobReference> blobs, IAsyncStreamWriter<V1.LoadRequest> requests) : IAsyncDisposable
{
    private readonly Dictionary<int, (Stream Stream, long Position)> _open = [];

    /// <summary>Answers one request of the agent's.</summary>
    public async Task AnswerAsync(V1.BlobRead read, CancellationToken cancellationToken)
    {
        if (read.Blob < 0 || read.Blob >= blobs.Length)
            throw new EdgeSplitException(EdgeSplitError.ProtocolViolation, $"The agent asks for blob {read.Blob} of {blobs.Length}.");
        BlobReference blob = blobs[read.Blob];
        try
        {
            await SendAsync(read, blob, cancellationToken).ConfigureAwait(false);
        }
        catch (EdgeSplitException exception)
        {
            var failure = new V1.BlobFailure { Blob = read.Blob, Reason = RpcErrors.ReasonOf(exception.Error), Message = exception.Message };
            await requests.WriteAsync(new V1.LoadRequest { Failure = failure }, cancellationToken).ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach ((Stream stream, _) in _open.Values)
            await stream.DisposeAsync().ConfigureAwait(false);
        _open.Clear();
    }

    private async Task SendAsync(V1.BlobRead read, BlobReference blob, CancellationToken cancellationToken)
    {
        if (read.Offset == 0)
        {
            await CloseAsync(read.Blob).ConfigureAwait(false);
            _open[read.Blob] = (await source.OpenBlobAsync(blob.Hash, cancellationToken).ConfigureAwait(false), 0);
        }
        if (!_open.TryGetValue(read.Blob, out (Stream Stream, long Position) open) || open.Position != read.Offset)
            throw new EdgeSplitException(EdgeSplitError.InvalidArgument, $"Blob {blob.Hash} was asked for from byte {read.Offset} on; {open.Position} is next.");
        byte[] buffer = ArrayPool<byte>.Shared.Rent(TensorSender.PartBytes);
        try
        {
            long left = Math.Min(read.ByteCount, blob.ByteCount - read.Offset);
            do
            {
                int wanted = (int)Math.Min(TensorSender.PartBytes, left);
                int count = await open.Stream.ReadAtLeastAsync(buffer.AsMemory(0, wanted), wanted, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
                var data = new V1.BlobData { Blob = read.Blob, Offset = open.Position, Data = UnsafeByteOperations.UnsafeWrap(buffer.AsMemory(0, count)) };
                await requests.WriteAsync(new V1.LoadRequest { Data = data }, cancellationToken).ConfigureAwait(false);
                open.Position += count;
                left -= count;
                // A source that ends early is the agent's to notice: the blob is too short.
                if (count < wanted && count > 0)
                    await requests.WriteAsync(
                        new V1.LoadRequest { Data = new V1.BlobData { Blob = read.Blob, Offset = open.Position } }, cancellationToken).ConfigureAwait(false);
                if (count < wanted)
                    break;
            }
            while (left > 0);
            _open[read.Blob] = open;
            if (open.Position == blob.ByteCount)
                await CloseAsync(read.Blob).ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async ValueTask CloseAsync(int index)
    {
        if (_open.Remove(index, out (Stream Stream, long Position) open))
            await open.Stream.DisposeAsync().ConfigureAwait(false);
    }
}
