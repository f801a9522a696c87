using EdgeSplit.Onnx.Format;
using EdgeSplit.Tensors;

namespace EdgeSplit.Onnx.Graphs;

/// <summary>Translates between the format's types and <see cref="TensorInfo"/>.</summary>
internal static class TypeProtos
{
    public static TensorInfo ToInfo(ValueInfoProto value)
    {
        if (value.Type?.TensorType is not { } tensor)
            return new TensorInfo(value.Name, TensorElementType.Undefined, default);
        return new TensorInfo(value.Name, (TensorElementType)tensor.ElemType, tensor.Shape is null ? default :
            [.. tensor.Shape.Dim.Select(static dimension => dimension.HasDimValue && dimension.DimValue >= 0
                ? new Dimension(dimension.DimValue)
                : new Dimension(null, dimension.HasDimParam && dimension.DimParam.Length > 0 ? dimension.DimParam : null))]);
    }

    public static ValueInfoProto FromInfo(TensorInfo info)
    {
        var tensor = new TypeProto.Types.Tensor { ElemType = (int)info.ElementType };
        if (!info.Dimensions.IsDefault)
        {
            tensor.Shape = new TensorShapeProto();
            foreach (Dimension dimension in info.Dimensions)
            {
                var proto = new TensorShapeProto.Types.Dimension();
                if (dimension.Size is { } size)
                    proto.DimValue = size;
                else if (dimension.Symbol is { } symbol)
                    proto.DimParam = symbol;
                tensor.Shape.Dim.Add(proto);
            }
        }
        return new ValueInfoProto { Name = info.Name, Type = new TypeProto { TensorType = tensor } };
    }
}
