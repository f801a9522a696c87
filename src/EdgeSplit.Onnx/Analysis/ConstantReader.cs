using System.Buffers.Binary;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Tensors;

namespace EdgeSplit.Onnx.Analysis;

/// <summary>Reads small constants that a model carries in itself.</summary>
internal static class ConstantReader
{
    /// <summary>Reads a tensor of 64-bit integers that is not external data.</summary>
    public static bool TryReadInt64(TensorProto tensor, out long[] values)
    {
        values = [];
        if (tensor.DataType != (int)TensorElementType.Int64 || tensor.DataLocation == TensorProto.Types.DataLocation.External)
            return false;
        if (!tensor.HasRawData)
        {
            values = [.. tensor.Int64Data];
            return true;
        }
        ReadOnlySpan<byte> raw = tensor.RawData.Span;
        values = new long[raw.Length / sizeof(long)];
        for (int i = 0; i < values.Length; i++)
            values[i] = BinaryPrimitives.ReadInt64LittleEndian(raw[(i * sizeof(long))..]);
        return true;
    }
}
