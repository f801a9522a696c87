using EdgeSplit.Models;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Onnx.Reading;
using Google.Protobuf;

namespace EdgeSplit.Onnx.Runtime;

/// <summary>
/// A skeleton comes over the wire, so it may name any file. It is loaded only when all the external data that it refers to
/// is among the partition's blobs, which were checked by their hashes.
/// </summary>
internal static class SkeletonChecks
{
    /// <summary>Throws where a skeleton is damaged or refers to anything else than the partition's blobs.</summary>
    /// <returns>The skeleton.</returns>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidModel"/>.</exception>
    public static ModelProto Require(ModelPartition partition)
    {
        ModelProto model;
        try
        {
            model = ModelProto.Parser.ParseFrom(partition.Skeleton.Span);
        }
        catch (InvalidProtocolBufferException exception)
        {
            throw new EdgeSplitException(EdgeSplitError.InvalidModel, $"The skeleton of partition {partition.Id} is not an ONNX model: {exception.Message}", exception);
        }
        var blobs = partition.Blobs.Select(static blob => blob.Hash.ToString()).ToHashSet();
        foreach (TensorProto tensor in TensorProtos.All(model))
        {
            foreach (StringStringEntryProto entry in tensor.ExternalData)
            {
                if (entry.Key == "location" && !blobs.Contains(entry.Value))
                    throw new EdgeSplitException(EdgeSplitError.InvalidModel, $"The tensor '{tensor.Name}' of partition {partition.Id} refers to the file '{entry.Value}', which is none of the partition's blobs.");
            }
        }
        return model;
    }
}
