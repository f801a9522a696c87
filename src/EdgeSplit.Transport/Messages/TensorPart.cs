using EdgeSplit.Tensors;
using MessagePack;

namespace EdgeSplit.Transport.Messages;

/// <summary>What a message's header says of one tensor of its body.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="ElementType">The element type.</param>
/// <param name="Shape">The dimensions.</param>
/// <param name="ByteCount">The length of its bytes in the body.</param>
internal readonly record struct TensorPart(string Name, TensorElementType ElementType, TensorShape Shape, int ByteCount)
{
    private const int MaxRank = 64;

    public void Write(ref MessagePackWriter writer)
    {
        writer.WriteArrayHeader(4);
        writer.Write(Name);
        writer.Write((int)ElementType);
        writer.WriteArrayHeader(Shape.Rank);
        foreach (long dimension in Shape.Dimensions)
            writer.Write(dimension);
        writer.Write(ByteCount);
    }

    /// <summary>Reads a part and checks that its length is what type and shape need.</summary>
    public static TensorPart Read(ref MessagePackReader reader, int maxTensorBytes)
    {
        reader.ReadArrayHeaderOf(4);
        string name = reader.ReadText();
        var elementType = (TensorElementType)reader.ReadInt32();
        int rank = reader.ReadArrayHeader();
        if (rank > MaxRank)
            throw new MessagePackSerializationException($"tensor '{name}' has {rank} dimensions; at most {MaxRank} are taken");
        Span<long> dimensions = stackalloc long[rank];
        for (int i = 0; i < rank; i++)
            dimensions[i] = reader.ReadInt64();
        var shape = new TensorShape(dimensions);
        long byteCount = reader.ReadInt64();
        if (byteCount < 0 || byteCount > maxTensorBytes)
            throw new MessagePackSerializationException($"tensor '{name}' has {byteCount} bytes; at most {maxTensorBytes} are taken");
        bool fits = elementType == TensorElementType.String
            ? shape.ElementCount <= byteCount / StringTensorCodec.LengthBytes
            : elementType.BitsPerElement() != 0 && elementType.ByteCount(shape.ElementCount) == byteCount;
        return fits
            ? new TensorPart(name, elementType, shape, (int)byteCount)
            : throw new MessagePackSerializationException($"{byteCount} bytes do not make the tensor '{name}' of {elementType} {shape}");
    }
}
