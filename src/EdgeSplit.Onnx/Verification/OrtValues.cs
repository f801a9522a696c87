using EdgeSplit.Onnx.Format;
using EdgeSplit.Onnx.Reading;
using EdgeSplit.Tensors;
using Microsoft.ML.OnnxRuntime;
using OrtElementType = Microsoft.ML.OnnxRuntime.Tensors.TensorElementType;

namespace EdgeSplit.Onnx.Verification;

/// <summary>Makes values of ONNX Runtime.</summary>
internal static class OrtValues
{
    /// <summary>A tensor with a copy of some raw data.</summary>
    public static OrtValue Create(OrtElementType type, long[] dimensions, ReadOnlySpan<byte> raw)
    {
        OrtValue value = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, type, dimensions);
        if (!raw.IsEmpty)
            raw.CopyTo(value.GetTensorMutableRawData());
        return value;
    }

    public static OrtValue Create(long[] dimensions, IReadOnlyList<string> strings)
    {
        OrtValue value = OrtValue.CreateTensorWithEmptyStrings(OrtAllocator.DefaultInstance, dimensions);
        for (int i = 0; i < strings.Count; i++)
            value.StringTensorSetElementAt(strings[i].AsSpan(), i);
        return value;
    }

    public static OrtValue Create(Tensor tensor)
    {
        long[] dimensions = [.. tensor.Shape.Dimensions];
        return tensor.ElementType == TensorElementType.String
            ? Create(dimensions, tensor.Strings)
            : Create((OrtElementType)tensor.ElementType, dimensions, tensor.Bytes.Span);
    }

    /// <summary>A copy of a tensor.</summary>
    public static Tensor ToTensor(OrtValue value)
    {
        OrtTensorTypeAndShapeInfo info = value.GetTensorTypeAndShape();
        var shape = new TensorShape(info.Shape);
        if (info.IsString)
            return Tensor.FromStrings(value.GetStringTensorAsArray(), shape);
        Tensor tensor = Tensor.Allocate((TensorElementType)info.ElementDataType, shape, out Memory<byte> destination);
        if (destination.Length > 0)
            value.GetTensorMutableRawData().CopyTo(destination.Span);
        return tensor;
    }

    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidInput"/>: the tensor is damaged.</exception>
    public static OrtValue Create(TensorProto tensor, string file)
    {
        long[] dimensions = [.. tensor.Dims];
        if (tensor.DataType == (int)OrtElementType.String)
            return Create(dimensions, [.. tensor.StringData.Select(static text => text.ToStringUtf8())]);
        ReadOnlyMemory<byte> raw = TensorElements.ToRaw(tensor, TensorProtos.ByteCount(tensor, file))
            ?? throw new EdgeSplitException(EdgeSplitError.InvalidInput, $"The tensor in '{file}' does not have the data that its type and shape need.");
        return Create((OrtElementType)tensor.DataType, dimensions, raw.Span);
    }
}
