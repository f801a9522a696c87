using System.Buffers.Binary;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Tensors;
using Google.Protobuf.Collections;

namespace EdgeSplit.Onnx.Reading;

/// <summary>Reads the elements of a tensor in memory, whichever field of the format they are in.</summary>
internal static class TensorElements
{
    private delegate void WriteElement<T>(Span<byte> destination, T value);

    /// <summary>The elements as raw data, or null where their number is not what the type and shape need.</summary>
    /// <param name="tensor">A tensor that holds its data itself and not as strings.</param>
    /// <param name="byteCount">The bytes that its type and shape need.</param>
    public static ReadOnlyMemory<byte>? ToRaw(TensorProto tensor, long byteCount)
    {
        if (tensor.HasRawData)
            return tensor.RawData.Length == byteCount ? (ReadOnlyMemory<byte>?)tensor.RawData.Memory : null;
        return (TensorElementType)tensor.DataType switch
        {
            TensorElementType.Float or TensorElementType.Complex64 => Pack(tensor.FloatData, sizeof(float), byteCount, BinaryPrimitives.WriteSingleLittleEndian),
            TensorElementType.Double or TensorElementType.Complex128 => Pack(tensor.DoubleData, sizeof(double), byteCount, BinaryPrimitives.WriteDoubleLittleEndian),
            TensorElementType.Int64 => Pack(tensor.Int64Data, sizeof(long), byteCount, BinaryPrimitives.WriteInt64LittleEndian),
            TensorElementType.UInt64 => Pack(tensor.Uint64Data, sizeof(ulong), byteCount, BinaryPrimitives.WriteUInt64LittleEndian),
            TensorElementType.UInt32 => Pack(tensor.Uint64Data, sizeof(uint), byteCount, static (span, value) => BinaryPrimitives.WriteUInt32LittleEndian(span, (uint)value)),
            TensorElementType.Int32 => Pack(tensor.Int32Data, sizeof(int), byteCount, BinaryPrimitives.WriteInt32LittleEndian),
            TensorElementType.Int16 or TensorElementType.UInt16 or TensorElementType.Float16 or TensorElementType.BFloat16 =>
                Pack(tensor.Int32Data, sizeof(short), byteCount, static (span, value) => BinaryPrimitives.WriteInt16LittleEndian(span, (short)value)),
            // One byte an element; two 4-bit elements share one as they would in raw data.
            TensorElementType.String or TensorElementType.Undefined => null,
            _ => Pack(tensor.Int32Data, sizeof(byte), byteCount, static (span, value) => span[0] = (byte)value),
        };
    }

    private static ReadOnlyMemory<byte>? Pack<T>(RepeatedField<T> values, int elementBytes, long byteCount, WriteElement<T> write)
    {
        if (values.Count * (long)elementBytes != byteCount)
            return null;
        var bytes = new byte[byteCount];
        for (int i = 0; i < values.Count; i++)
            write(bytes.AsSpan(i * elementBytes, elementBytes), values[i]);
        return bytes;
    }
}
