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
        return given.TryGetValue(symbol ?? "", out long size) ? size : SymbolSums.Evaluate(symbol ?? "", SizeOf);

        long SizeOf(string term)
        {
            if (given.TryGetValue(term, out long size))
                return size;
            if (axis == 0 || term.Contains("batch", StringComparison.OrdinalIgnoreCase))
                return 1;
            return rank == 4 && axis >= 2 && !SymbolSums.IsSequenceLength(term) ? ImageSide : SequenceLength;
        }
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

    /// <summary>A copy of a model whose inputs have sizes; what it says of other values, which may contradict them, is dropped.</summary>
    public ModelProto Fix(ModelProto model)
    {
        ModelProto copy = model.Clone();
        copy.Graph.ValueInfo.Clear();
        foreach (ValueInfoProto output in copy.Graph.Output)
            output.Type?.TensorType?.Shape = null;
        foreach (ValueInfoProto input in copy.Graph.Input)
        {
            if (input.Type?.TensorType?.Shape is not { } shape)
                continue;
            for (int i = 0; i < shape.Dim.Count; i++)
            {
                TensorShapeProto.Types.Dimension dimension = shape.Dim[i];
                if (dimension is not { HasDimValue: true, DimValue: >= 0 })
                    dimension.DimValue = For(dimension.HasDimParam ? dimension.DimParam : null, i, shape.Dim.Count);
            }
        }
        return copy;
    }
}
