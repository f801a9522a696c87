using System.Collections.Immutable;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Onnx.Reading;
using EdgeSplit.Storage;
using Google.Protobuf;

namespace EdgeSplit.Onnx.Splitting;

/// <summary>Gives the tensors of one part their places: large ones become blobs named by their hash, small ones stay inside.</summary>
internal sealed class PartBlobs(IReadOnlyDictionary<TensorProto, WeightData> weights, Action<ContentHash, WeightData> onBlob)
{
    private readonly List<BlobReference> _blobs = [];
    private readonly HashSet<ContentHash> _known = [];

    /// <summary>The blobs of the tensors seen so far, each once.</summary>
    public ImmutableArray<BlobReference> All => [.. _blobs];

    public TensorProto Externalize(TensorProto tensor)
    {
        if (!weights.ContainsKey(tensor))
            return tensor;
        TensorProto copy = tensor.Clone();
        Place(tensor, copy);
        return copy;
    }

    public SparseTensorProto Externalize(SparseTensorProto tensor) => new(tensor)
    {
        Values = tensor.Values is null ? null : Externalize(tensor.Values),
        Indices = tensor.Indices is null ? null : Externalize(tensor.Indices),
    };

    public NodeProto Externalize(NodeProto node)
    {
        if (!TensorProtos.All(node).Any(weights.ContainsKey))
            return node;
        NodeProto copy = node.Clone();
        Place(TensorProtos.All(node), TensorProtos.All(copy));
        return copy;
    }

    public FunctionProto Externalize(FunctionProto function)
    {
        if (!TensorProtos.All(function).Any(weights.ContainsKey))
            return function;
        FunctionProto copy = function.Clone();
        Place(TensorProtos.All(function), TensorProtos.All(copy));
        return copy;
    }

    /// <summary>Places the tensors of a copy, which come in the same order as those of the original.</summary>
    private void Place(IEnumerable<TensorProto> originals, IEnumerable<TensorProto> copies)
    {
        foreach ((TensorProto original, TensorProto copy) in originals.Zip(copies))
            Place(original, copy);
    }

    private void Place(TensorProto original, TensorProto copy)
    {
        if (!weights.TryGetValue(original, out WeightData? data))
            return;
        if (data.ByteCount < SkeletonReader.ExternalThresholdBytes)
        {
            copy.ExternalData.Clear();
            copy.ClearDataLocation();
            using Stream content = data.Open();
            copy.RawData = ByteString.FromStream(content);
            return;
        }
        ExternalData.Write(copy, data.Hash.ToString(), 0, data.ByteCount);
        if (!_known.Add(data.Hash))
            return;
        _blobs.Add(new BlobReference(data.Hash, data.ByteCount));
        onBlob(data.Hash, data);
    }
}
