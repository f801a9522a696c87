using System.Buffers.Binary;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Tensors;
using Google.Protobuf;
using Google.Protobuf.Collections;

namespace EdgeSplit.Onnx.Reading;

/// <summary>Turns large tensors whose elements are lists of variable-length numbers into raw data, so that they can be blobs.</summary>
internal static class NumberLists
{
    /// <summary>Replaces the number list of a large tensor by raw data; small ones and those already raw stay as they are.</summary>
    /// <param name="tensor">The tensor, changed in place.</param>
    /// <param name="byteCount">The bytes that its type and shape need.</param>
    /// <param name="raw">The raw data, on true.</param>
    public static bool TryTakeRaw(TensorProto tensor, long byteCount, out ReadOnlyMemory<byte> raw)
    {
        raw = default;
        if (byteCount < SkeletonReader.ExternalThresholdBytes || tensor.HasRawData)
            return false;
        byte[]? bytes = (TensorElementType)tensor.DataType switch
        {
            TensorElementType.Int64 => Pack<long>(tensor.Int64Data, sizeof(long), byteCount, BinaryPrimitives.WriteInt64LittleEndian),
            TensorElementType.UInt64 => Pack<ulong>(tensor.Uint64Data, sizeof(ulong), byteCount, BinaryPrimitives.WriteUInt64LittleEndian),
            TensorElementType.UInt32 => Pack<ulong>(tensor.Uint64Data, sizeof(uint), byteCount, static (span, value) => BinaryPrimitives.WriteUInt32LittleEndian(span, (uint)value)),
            TensorElementType.Int32 => Pack<int>(tensor.Int32Data, sizeof(int), byteCount, BinaryPrimitives.WriteInt32LittleEndian),
            TensorElementType.Int16 or TensorElementType.UInt16 or TensorElementType.Float16 or TensorElementType.BFloat16 =>
                Pack<int>(tensor.Int32Data, sizeof(short), byteCount, static (span, value) => BinaryPrimitives.WriteInt16LittleEndian(span, (short)value)),
            TensorElementType.Int8 or TensorElementType.UInt8 or TensorElementType.Bool =>
                Pack<int>(tensor.Int32Data, sizeof(byte), byteCount, static (span, value) => span[0] = (byte)value),
            _ => null,
        };
        if (bytes is null)
            return false;
        tensor.Int32Data.Clear();
        tensor.Int64Data.Clear();
        tensor.Uint64Data.Clear();
        tensor.RawData = UnsafeByteOperations.UnsafeWrap(bytes);
        raw = bytes;
        return true;
    }

    private delegate void WriteElement<T>(Span<byte> destination, T value);

    private static byte[]? Pack<T>(RepeatedField<T> values, int elementBytes, long byteCount, WriteElement<T> write)
    {
        if (values.Count * (long)elementBytes != byteCount)
            return null;
        var bytes = new byte[byteCount];
        for (int i = 0; i < values.Count; i++)
            write(bytes.AsSpan(i * elementBytes, elementBytes), values[i]);
        return bytes;
    }
}
