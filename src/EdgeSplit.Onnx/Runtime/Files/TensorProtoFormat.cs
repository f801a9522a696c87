using System.Buffers.Binary;
using System.Runtime.InteropServices;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Tensors;
using Google.Protobuf;

namespace EdgeSplit.Onnx.Runtime.Files;

/// <summary>Tensors as ONNX's <c>TensorProto</c>.</summary>
internal static class TensorProtoFormat
{
    /// <summary>Reads a tensor.</summary>
    /// <exception cref="FormatException">The content is no tensor, or is damaged.</exception>
    public static Tensor Read(byte[] content, out string name)
    {
        TensorProto proto;
        try
        {
            proto = TensorProto.Parser.ParseFrom(content);
        }
        catch (InvalidProtocolBufferException exception)
        {
            throw new FormatException($"it is no TensorProto ({exception.Message})", exception);
        }
        name = proto.Name;
        if (proto.DataLocation == TensorProto.Types.DataLocation.External || proto.ExternalData.Count > 0)
            throw new FormatException("its elements are in another file, which is not read");
        var type = (TensorElementType)proto.DataType;
        if (!Enum.IsDefined(type) || type is TensorElementType.Undefined)
            throw new FormatException($"it is no TensorProto with an element type that is known (number {proto.DataType})");
        TensorShape shape;
        long byteCount;
        try
        {
            shape = new TensorShape([.. proto.Dims]);
            byteCount = type.ByteCount(shape.ElementCount);
        }
        catch (Exception exception) when (exception is ArgumentException or OverflowException)
        {
            throw new FormatException(exception.Message, exception);
        }

        if (type is TensorElementType.String)
        {
            return proto.StringData.Count == shape.ElementCount
                ? Tensor.FromStrings(proto.StringData.Select(static text => text.ToStringUtf8()), shape)
                : throw new FormatException($"it has {proto.StringData.Count} strings for the shape {shape}");
        }
        ReadOnlySpan<byte> elements = proto.HasRawData ? proto.RawData.Span : FromFields(proto, type);
        if (elements.Length != byteCount)
            throw new FormatException($"it has {elements.Length} bytes of elements for {type} {shape}");
        Tensor tensor = Tensor.Allocate(type, shape, out Memory<byte> destination);
        elements.CopyTo(destination.Span);
        return tensor;
    }

    /// <summary>Writes a tensor.</summary>
    public static void Write(Stream file, Tensor tensor, string name)
    {
        var proto = new TensorProto { DataType = (int)tensor.ElementType };
        if (name.Length > 0)
            proto.Name = name;
        proto.Dims.AddRange(tensor.Shape.Dimensions);
        if (tensor.ElementType is TensorElementType.String)
            proto.StringData.AddRange(tensor.Strings.Select(ByteString.CopyFromUtf8));
        else
            proto.RawData = UnsafeByteOperations.UnsafeWrap(tensor.Bytes);
        proto.WriteTo(file);
    }

    /// <summary>The elements where they are not raw: in the field that the specification names for the type, one item for each element or packed byte.</summary>
    private static ReadOnlySpan<byte> FromFields(TensorProto proto, TensorElementType type) => type switch
    {
        TensorElementType.Float or TensorElementType.Complex64 => MemoryMarshal.AsBytes<float>(proto.FloatData.ToArray()),
        TensorElementType.Double or TensorElementType.Complex128 => MemoryMarshal.AsBytes<double>(proto.DoubleData.ToArray()),
        TensorElementType.Int64 => MemoryMarshal.AsBytes<long>(proto.Int64Data.ToArray()),
        TensorElementType.UInt64 => MemoryMarshal.AsBytes<ulong>(proto.Uint64Data.ToArray()),
        TensorElementType.UInt32 => Narrow(proto.Uint64Data.Select(static item => (long)item), sizeof(uint)),
        _ => Narrow(proto.Int32Data.Select(static item => (long)item), Math.Max(type.BitsPerElement() / 8, 1)),
    };

    private static byte[] Narrow(IEnumerable<long> items, int byteCount)
    {
        using var bytes = new MemoryStream();
        Span<byte> item = stackalloc byte[sizeof(long)];
        foreach (long value in items)
        {
            BinaryPrimitives.WriteInt64LittleEndian(item, value);
            bytes.Write(item[..byteCount]);
        }
        return bytes.ToArray();
    }
}
