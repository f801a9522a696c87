using System.Collections.Immutable;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Tensors;

namespace EdgeSplit.Onnx.Analysis;

/// <summary>What a graph itself says of the types of its values.</summary>
internal static class DeclaredTypes
{
    /// <summary>The declared inputs, outputs and values, and the initializers, with sizes put in for symbolic dimensions.</summary>
    public static Dictionary<string, TensorInfo> Of(GraphProto graph, IReadOnlyDictionary<string, long> freeDimensions)
    {
        var known = new Dictionary<string, TensorInfo>();
        foreach (ValueInfoProto value in graph.ValueInfo.Concat(graph.Output).Concat(graph.Input))
        {
            if (value.Type is not null)
                known[value.Name] = Read(value, freeDimensions);
        }
        foreach (TensorProto weight in graph.Initializer)
            known[weight.Name] = new TensorInfo(weight.Name, (TensorElementType)weight.DataType, [.. weight.Dims.Select(static size => new Dimension(size))]);
        foreach (SparseTensorProto weight in graph.SparseInitializer)
            known[weight.Values.Name] = new TensorInfo(weight.Values.Name, (TensorElementType)weight.Values.DataType, [.. weight.Dims.Select(static size => new Dimension(size))]);
        return known;
    }

    /// <summary>Takes from what a model declares the rank, sizes and symbols that inference does not know.</summary>
    public static TensorInfo FillGaps(TensorInfo inferred, TensorInfo declared)
    {
        if (declared.Dimensions.IsDefault || declared.ElementType != inferred.ElementType)
            return inferred;
        if (inferred.Dimensions.IsDefault)
            return inferred with { Dimensions = declared.Dimensions };
        if (inferred.Dimensions.Length != declared.Dimensions.Length)
            return inferred;
        return inferred with
        {
            Dimensions = [.. inferred.Dimensions.Zip(declared.Dimensions, static (own, other) => own is { Size: null, Symbol: null } ? other : own)],
        };
    }

    private static TensorInfo Read(ValueInfoProto value, IReadOnlyDictionary<string, long> freeDimensions)
    {
        TypeProto.Types.Tensor? tensor = value.Type?.TensorType;
        if (tensor is null)
            return new TensorInfo(value.Name, TensorElementType.Undefined, default);
        ImmutableArray<Dimension> dimensions = tensor.Shape is null ? default : [.. tensor.Shape.Dim.Select(dimension => ReadDimension(dimension, freeDimensions))];
        return new TensorInfo(value.Name, (TensorElementType)tensor.ElemType, dimensions);
    }

    private static Dimension ReadDimension(TensorShapeProto.Types.Dimension dimension, IReadOnlyDictionary<string, long> freeDimensions)
    {
        // Some exporters write -1 or 0 with no name for "unknown"; 0 is a legal size and stays one.
        if (dimension is { HasDimValue: true, DimValue: >= 0 })
            return new Dimension(dimension.DimValue);
        if (dimension.DimParam.Length == 0)
            return default;
        return freeDimensions.TryGetValue(dimension.DimParam, out long size) ? new Dimension(size) : new Dimension(null, dimension.DimParam);
    }
}
