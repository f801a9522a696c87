using EdgeSplit.Onnx.Format;
using EdgeSplit.Tensors;

namespace EdgeSplit.Onnx.Graphs;

/// <summary>Declares values in the format.</summary>
internal static class ValueDeclarations
{
    /// <summary>The declaration of a tensor.</summary>
    public static ValueInfoProto Of(TensorInfo info)
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
