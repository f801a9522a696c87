using System.Buffers;
using System.Collections.Immutable;
using EdgeSplit.Agents;
using EdgeSplit.Models;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;
using EdgeSplit.Transport.Framing;
using MessagePack;

namespace EdgeSplit.Transport.Messages;

/// <summary>
/// A partition as the two tensors of a load request: the manifest (names, blobs, inputs and outputs in MessagePack) and the
/// skeleton. Both are bodies, so that header limits need not grow with the model.
/// </summary>
internal static class PartitionCodec
{
    public const string Manifest = "manifest";
    public const string Skeleton = "skeleton";

    private const int MaxRank = 64;

    public static Dictionary<string, Tensor> Encode(ModelPartitionRequest request)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(buffer);
        writer.WriteArrayHeader(5);
        writer.Write(request.ModelName);
        writer.WriteArrayHeader(request.Partition.Blobs.Length);
        foreach (BlobReference blob in request.Partition.Blobs)
        {
            writer.WriteArrayHeader(2);
            writer.WriteHash(blob.Hash);
            writer.Write(blob.ByteCount);
        }
        WriteInfos(ref writer, request.Partition.Inputs);
        WriteInfos(ref writer, request.Partition.Outputs);
        writer.Write(request.IsUrgent);
        writer.Flush();
        return new Dictionary<string, Tensor>
        {
            [Manifest] = BytesTensor.Wrap(buffer.WrittenMemory),
            [Skeleton] = BytesTensor.Wrap(request.Partition.Skeleton),
        };
    }

    /// <summary>Reads a partition. It keeps nothing of the tensors' memory.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.ProtocolViolation"/>.</exception>
    public static ModelPartitionRequest Decode(IReadOnlyDictionary<string, Tensor> tensors)
    {
        if (!tensors.TryGetValue(Manifest, out Tensor? manifest) || !tensors.TryGetValue(Skeleton, out Tensor? skeleton)
            || manifest.ElementType != TensorElementType.UInt8 || skeleton.ElementType != TensorElementType.UInt8)
        {
            throw ProtocolError.Violation("a load request lacks its manifest or skeleton");
        }
        try
        {
            var reader = new MessagePackReader(manifest.Bytes);
            reader.ReadArrayHeaderOf(5);
            string modelName = reader.ReadText();
            var partition = new ModelPartition
            {
                Skeleton = skeleton.Bytes.ToArray(),
                Blobs = ReadBlobs(ref reader),
                Inputs = ReadInfos(ref reader),
                Outputs = ReadInfos(ref reader),
            };
            return new ModelPartitionRequest(modelName, partition) { IsUrgent = reader.ReadBoolean() };
        }
        catch (Exception exception) when (ProtocolError.IsMalformedInput(exception))
        {
            throw ProtocolError.Violation($"a partition's manifest is malformed ({exception.Message})", exception);
        }
    }

    private static ImmutableArray<BlobReference> ReadBlobs(ref MessagePackReader reader)
    {
        // The list grows as elements are read: a count alone makes nobody allocate.
        int count = reader.ReadArrayHeader();
        var blobs = ImmutableArray.CreateBuilder<BlobReference>();
        for (int i = 0; i < count; i++)
        {
            reader.ReadArrayHeaderOf(2);
            ContentHash hash = reader.ReadHash();
            long byteCount = reader.ReadInt64();
            if (byteCount < 0)
                throw new FormatException("a blob has a negative length");
            blobs.Add(new BlobReference(hash, byteCount));
        }
        return blobs.DrainToImmutable();
    }

    private static void WriteInfos(ref MessagePackWriter writer, ImmutableArray<TensorInfo> infos)
    {
        writer.WriteArrayHeader(infos.Length);
        foreach (TensorInfo info in infos)
        {
            writer.WriteArrayHeader(3);
            writer.Write(info.Name);
            writer.Write((int)info.ElementType);
            if (info.Dimensions.IsDefault)
            {
                writer.WriteNil();
                continue;
            }
            writer.WriteArrayHeader(info.Dimensions.Length);
            foreach (Dimension dimension in info.Dimensions)
            {
                writer.WriteArrayHeader(2);
                writer.WriteOptional(dimension.Size);
                writer.Write(dimension.Symbol);
            }
        }
    }

    private static ImmutableArray<TensorInfo> ReadInfos(ref MessagePackReader reader)
    {
        int count = reader.ReadArrayHeader();
        var infos = ImmutableArray.CreateBuilder<TensorInfo>();
        for (int i = 0; i < count; i++)
        {
            reader.ReadArrayHeaderOf(3);
            infos.Add(new TensorInfo(reader.ReadText(), (TensorElementType)reader.ReadInt32(), ReadDimensions(ref reader)));
        }
        return infos.DrainToImmutable();
    }

    private static ImmutableArray<Dimension> ReadDimensions(ref MessagePackReader reader)
    {
        if (reader.TryReadNil())
            return default;
        int rank = reader.ReadArrayHeader();
        if (rank > MaxRank)
            throw new FormatException($"a tensor has {rank} dimensions; at most {MaxRank} are taken");
        var dimensions = ImmutableArray.CreateBuilder<Dimension>();
        for (int i = 0; i < rank; i++)
        {
            reader.ReadArrayHeaderOf(2);
            dimensions.Add(new Dimension(reader.ReadOptionalInt64(), reader.ReadString()));
        }
        return dimensions.DrainToImmutable();
    }
}
