using EdgeSplit.Compression;
using EdgeSplit.Tensors;
using EdgeSplit.Transport.Compression;
using MessagePack;

namespace EdgeSplit.Transport.Messages;

/// <summary>What a message's header says of one tensor of its body.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="ElementType">The element type.</param>
/// <param name="Shape">The dimensions.</param>
/// <param name="ByteCount">The length of its bytes in the body.</param>
/// <param name="Encoding">What those bytes are.</param>
internal readonly record struct TensorPart(
    string Name, TensorElementType ElementType, TensorShape Shape, int ByteCount, ActivationEncoding Encoding = ActivationEncoding.None)
{
    private const int MaxRank = 64;

    /// <summary>The memory that the tensor takes at its receiver: its bytes as they travel, and, if they are encoded, also as they are.</summary>
    public long MemoryBytes => Encoding == ActivationEncoding.None ? ByteCount : ByteCount + ElementType.ByteCount(Shape.ElementCount);

    public void Write(ref MessagePackWriter writer)
    {
        writer.WriteArrayHeader(Encoding == ActivationEncoding.None ? 4 : 5);
        writer.Write(Name);
        writer.Write((int)ElementType);
        writer.WriteArrayHeader(Shape.Rank);
        foreach (long dimension in Shape.Dimensions)
            writer.Write(dimension);
        writer.Write(ByteCount);
        if (Encoding != ActivationEncoding.None)
            writer.Write((int)Encoding);
    }

    /// <summary>Reads a part and checks that its length is what type and shape need.</summary>
    public static TensorPart Read(ref MessagePackReader reader, int maxTensorBytes)
    {
        int fields = reader.ReadArrayHeader();
        if (fields is not (4 or 5))
            throw new MessagePackSerializationException($"a tensor has {fields} fields instead of 4 or 5");
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
        ActivationEncoding encoding = fields == 5 ? reader.ReadEncoding() : ActivationEncoding.None;
        bool fits = encoding != ActivationEncoding.None
            ? ActivationCodec.CanBeDecoded(encoding, elementType, shape, byteCount, maxTensorBytes)
            : elementType == TensorElementType.String
                ? shape.ElementCount <= byteCount / StringTensorCodec.LengthBytes
                : elementType.BitsPerElement() != 0 && elementType.ByteCount(shape.ElementCount) == byteCount;
        return fits
            ? new TensorPart(name, elementType, shape, (int)byteCount, encoding)
            : throw new MessagePackSerializationException($"{byteCount} bytes do not make the tensor '{name}' of {elementType} {shape}");
    }
}
