using System.Collections.Immutable;
using System.Threading.Channels;
using EdgeSplit.Grpc.Messages;
using EdgeSplit.Storage;
using Grpc.Core;

namespace EdgeSplit.Grpc.Agents;

/// <summary>The agent's side of a load: the partition's blobs, asked for piece by piece over the load's own call.</summary>
internal sealed class RequestedBlobs(ImmutableArray<BlobReference> blobs, IServerStreamWriter<V1.LoadResponse> responses) : IBlobSource
{
    private readonly Dictionary<ContentHash, int> _indexes = blobs.Select(static (blob, index) => (blob.Hash, index))
        .DistinctBy(static blob => blob.Hash).ToDictionary(static blob => blob.Hash, static blob => blob.index);
    private readonly SemaphoreSlim _writing = new(1);
    private readonly Lock _gate = new();
    private readonly Dictionary<int, Channel<V1.BlobData>> _open = [];
    private Exception? _ended;

    /// <inheritdoc/>
    public async ValueTask<Stream> OpenBlobAsync(ContentHash hash, CancellationToken cancellationToken)
    {
        if (!_indexes.TryGetValue(hash, out int index))
            throw new EdgeSplitException(EdgeSplitError.NotFound, $"Blob {hash} does not belong to the partition that is being loaded.");
        var pieces = Channel.CreateUnbounded<V1.BlobData>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
        lock (_gate)
        {
            if (_ended is not null)
                throw _ended;
            if (!_open.TryAdd(index, pieces))
                throw new EdgeSplitException(EdgeSplitError.Internal, $"Blob {hash} is being read already.");
        }
        var stream = new RequestedBlobStream(blobs[index], index, pieces.Reader, SendAsync, () => Close(index));
        try
        {
            await stream.OpenAsync(cancellationToken).ConfigureAwait(false);
            return stream;
        }
        catch
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Sends one message at a time.</summary>
    public async Task SendAsync(V1.LoadResponse message, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await responses.WriteAsync(message, CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Hands what arrives to those that wait for it, until the coordinator ends its stream.</summary>
    public async Task PumpAsync(IAsyncStreamReader<V1.LoadRequest> requests, CancellationToken cancellationToken)
    {
        Exception ended = new EdgeSplitException(EdgeSplitError.ProtocolViolation, "The coordinator ended the load before it had sent all that was asked for.");
        try
        {
            while (await requests.MoveNext(cancellationToken).ConfigureAwait(false))
            {
                V1.LoadRequest request = requests.Current;
                switch (request.MessageCase)
                {
                    case V1.LoadRequest.MessageOneofCase.Data:
                        Find(request.Data.Blob)?.Writer.TryWrite(request.Data);
                        break;
                    case V1.LoadRequest.MessageOneofCase.Failure:
                        Find(request.Failure.Blob)?.Writer.TryComplete(
                            new EdgeSplitException(RpcErrors.ErrorOf(request.Failure.Reason), request.Failure.Message));
                        break;
                    default:
                        throw new EdgeSplitException(EdgeSplitError.ProtocolViolation, "A load got a message that is no piece of a blob.");
                }
            }
        }
        catch (Exception exception)
        {
            ended = exception;
            throw;
        }
        finally
        {
            Channel<V1.BlobData>[] waiting;
            lock (_gate)
            {
                _ended = ended;
                waiting = [.. _open.Values];
            }
            foreach (Channel<V1.BlobData> pieces in waiting)
                pieces.Writer.TryComplete(ended);
        }
    }

    private Channel<V1.BlobData>? Find(int index)
    {
        lock (_gate)
            return _open.GetValueOrDefault(index);
    }

    private void Close(int index)
    {
        lock (_gate)
            _open.Remove(index);
    }
}
