using EdgeSplit.Onnx.Format;
using EdgeSplit.Onnx.Reading;
using EdgeSplit.Storage;
using Google.Protobuf;

namespace EdgeSplit.Onnx.Splitting;

/// <summary>A partition laid out as one file: pieces of the skeleton, and blobs where the raw data of tensors go.</summary>
internal sealed class EmbeddedModel
{
    private EmbeddedModel(List<Piece> pieces) => Pieces = pieces;

    /// <summary>What the file is made of, in order.</summary>
    public IReadOnlyList<Piece> Pieces { get; }

    public long ByteCount => Pieces.Sum(static piece => piece.ByteCount);

    public static EmbeddedModel Create(ReadOnlyMemory<byte> skeleton) =>
        new(Embed(WireMessage.Model, skeleton) ?? [new Piece(skeleton, null)]);

    /// <summary>Lays out one message, whose length changes with what is put into it; null where nothing is.</summary>
    private static List<Piece>? Embed(WireMessage message, ReadOnlyMemory<byte> content)
    {
        if (message == WireMessage.Tensor)
            return EmbedTensor(content);
        List<Piece>? pieces = null;
        int copiedTo = 0;
        for (int position = 0; position < content.Length;)
        {
            WireField field = WireField.Read(content.Span, position);
            WireMessage child = WireSchema.Child(message, field.Number);
            if (child != WireMessage.None && field.WireType == WireSchema.LengthType
                && Embed(child, content[field.ContentStart..field.End]) is { } inner)
            {
                pieces ??= [];
                if (position > copiedTo)
                    pieces.Add(new Piece(content[copiedTo..position], null));
                pieces.Add(Header(field.Number, inner.Sum(static piece => piece.ByteCount)));
                pieces.AddRange(inner);
                copiedTo = field.End;
            }
            position = field.End;
        }
        if (pieces is not null && copiedTo < content.Length)
            pieces.Add(new Piece(content[copiedTo..], null));
        return pieces;
    }

    private static List<Piece>? EmbedTensor(ReadOnlyMemory<byte> content)
    {
        TensorProto tensor = TensorProto.Parser.ParseFrom(content.Span);
        if (!ExternalData.IsExternal(tensor) || !ExternalData.TryRead(tensor, out ExternalData data)
            || !ContentHash.TryParse(data.Location, out ContentHash hash))
            return null;
        tensor.ExternalData.Clear();
        tensor.ClearDataLocation();
        var blob = new BlobReference(hash, data.Length ?? 0);
        return [new Piece(tensor.ToByteArray(), null), Header(WireSchema.TensorRawData, blob.ByteCount), new Piece(default, blob)];
    }

    /// <summary>The tag and length of a field.</summary>
    private static Piece Header(int field, long byteCount)
    {
        using var buffer = new MemoryStream();
        using (var output = new CodedOutputStream(buffer, leaveOpen: true))
        {
            output.WriteTag(field, WireFormat.WireType.LengthDelimited);
            output.WriteUInt64((ulong)byteCount);
        }
        return new Piece(buffer.ToArray(), null);
    }

    internal readonly record struct Piece(ReadOnlyMemory<byte> Bytes, BlobReference? Blob)
    {
        public long ByteCount => Blob?.ByteCount ?? Bytes.Length;
    }
}
