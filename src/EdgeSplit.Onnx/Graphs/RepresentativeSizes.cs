using EdgeSplit.Onnx.Format;
using EdgeSplit.Tensors;

namespace EdgeSplit.Onnx.Graphs;

/// <summary>Sizes that stand for unknown dimensions in estimates.</summary>
internal sealed class RepresentativeSizes(IReadOnlyDictionary<string, long> given)
{
    private const long ImageSide = 224;
    private const long SequenceLength = 128;

    /// <summary>A size for a dimension that the model leaves open.</summary>
    public long For(string? symbol, int axis, int rank)
    {
        if (symbol is not null && given.TryGetValue(symbol, out long size))
            return size;
        if (axis == 0 || symbol?.Contains("batch", StringComparison.OrdinalIgnoreCase) == true)
            return 1;
        return rank == 4 && axis >= 2 ? ImageSide : SequenceLength;
    }

    /// <summary>The bytes of a value; 0 where its type or rank is unknown.</summary>
    public long ByteCount(TensorInfo info)
    {
        if (info.Dimensions.IsDefault)
            return 0;
        double count = 1;
        for (int i = 0; i < info.Dimensions.Length; i++)
            count *= info.Dimensions[i].Size ?? For(info.Dimensions[i].Symbol, i, info.Dimensions.Length);
        return count * 16 < long.MaxValue ? info.ElementType.ByteCount((long)count) : long.MaxValue;
    }

    /// <summary>Gives the open dimensions of a declared value their sizes.</summary>
    public void Fix(ValueInfoProto value)
    {
        if (value.Type?.TensorType?.Shape is not { } shape)
            return;
        for (int i = 0; i < shape.Dim.Count; i++)
        {
            if (!shape.Dim[i].HasDimValue)
                shape.Dim[i].DimValue = For(shape.Dim[i].HasDimParam ? shape.Dim[i].DimParam : null, i, shape.Dim.Count);
        }
    }
}
