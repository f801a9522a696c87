using System.Collections.Immutable;
using EdgeSplit.Agents;
using EdgeSplit.Grpc.Messages;
using EdgeSplit.Models;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;
using Google.Protobuf;
using Grpc.Core;

namespace EdgeSplit.Grpc.Agents;

/// <summary>A partition in parts that every message limit lets pass, and put together again.</summary>
internal static class PartitionParts
{
    private const int BlobsPerPart = 4096;

    public static IEnumerable<V1.ModelPartitionRequest> Split(string sessionId, ModelPartitionRequest request)
    {
        ModelPartition partition = request.Partition;
        var first = new V1.ModelPartitionRequest { SessionId = sessionId, ModelName = request.ModelName, IsUrgent = request.IsUrgent };
        first.Inputs.Add(partition.Inputs.Select(static info => info.ToMessage()));
        first.Outputs.Add(partition.Outputs.Select(static info => info.ToMessage()));
        yield return first;
        foreach (BlobReference[] blobs in partition.Blobs.Chunk(BlobsPerPart))
        {
            var part = new V1.ModelPartitionRequest();
            part.Blobs.Add(blobs.Select(static blob => blob.ToMessage()));
            yield return part;
        }
        for (int offset = 0; offset < partition.Skeleton.Length; offset += TensorSender.PartBytes)
        {
            ReadOnlyMemory<byte> piece = partition.Skeleton.Slice(offset, Math.Min(TensorSender.PartBytes, partition.Skeleton.Length - offset));
            yield return new V1.ModelPartitionRequest { Skeleton = UnsafeByteOperations.UnsafeWrap(piece) };
        }
        yield return new V1.ModelPartitionRequest { IsComplete = true };
    }

    /// <summary>Reads the parts of a partition, up to the last.</summary>
    /// <param name="reader">The load's messages.</param>
    /// <param name="maxPartitionBytes">The most bytes, skeleton and weights together.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.ProtocolViolation"/>; <see cref="EdgeSplitError.InvalidInput"/>: too large.</exception>
    public static async Task<(string SessionId, ModelPartitionRequest Request)> JoinAsync(
        IAsyncStreamReader<V1.LoadRequest> reader, long maxPartitionBytes, CancellationToken cancellationToken)
    {
        string? sessionId = null;
        string modelName = "";
        bool isUrgent = false;
        var skeleton = new MemoryStream();
        var blobs = ImmutableArray.CreateBuilder<BlobReference>();
        var inputs = ImmutableArray.CreateBuilder<TensorInfo>();
        var outputs = ImmutableArray.CreateBuilder<TensorInfo>();
        UInt128 total = 0;
        bool isComplete = false;
        while (!isComplete)
        {
            if (!await reader.MoveNext(cancellationToken).ConfigureAwait(false) || reader.Current.Partition is not { } part)
                throw new EdgeSplitException(EdgeSplitError.ProtocolViolation, "A load does not begin with a whole partition.");
            if (sessionId is null)
                (sessionId, modelName, isUrgent) = (part.SessionId, part.ModelName, part.IsUrgent);
            total += (uint)part.Skeleton.Length;
            foreach (V1.Blob message in part.Blobs)
            {
                BlobReference blob = message.ToBlob();
                total += (UInt128)blob.ByteCount;
                blobs.Add(blob);
            }
            if (total > (UInt128)maxPartitionBytes)
            {
                throw new EdgeSplitException(
                    EdgeSplitError.InvalidInput,
                    $"A partition of '{modelName}' has more than {maxPartitionBytes} bytes, the agent's limit. Split the model into smaller parts or raise the limit.");
            }
            skeleton.Write(part.Skeleton.Span);
            inputs.AddRange(part.Inputs.Select(static info => info.ToInfo()));
            outputs.AddRange(part.Outputs.Select(static info => info.ToInfo()));
            isComplete = part.IsComplete;
        }
        var partition = new ModelPartition
        {
            Skeleton = skeleton.ToArray(),
            Blobs = blobs.DrainToImmutable(),
            Inputs = inputs.DrainToImmutable(),
            Outputs = outputs.DrainToImmutable(),
        };
        return (sessionId!, new ModelPartitionRequest(modelName, partition) { IsUrgent = isUrgent });
    }
}
