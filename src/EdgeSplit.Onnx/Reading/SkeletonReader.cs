using System.Buffers;
using EdgeSplit.Onnx.Format;
using Google.Protobuf;

namespace EdgeSplit.Onnx.Reading;

/// <summary>
/// Reads a model file without its weights: walks the wire format once and copies everything but the large data of
/// tensors, which become external data that point into the model file itself. Memory is bounded by the rest.
/// </summary>
internal sealed class SkeletonReader
{
    /// <summary>Data of at least this size stays in the file; less stays in the skeleton.</summary>
    public const int ExternalThresholdBytes = 1024;

    /// <summary>More than this without weights is no model but an attack on memory.</summary>
    private const int MaxSkeletonBytes = 256 << 20;

    /// <summary>Messages within messages; the protobuf readers of others stop at 100.</summary>
    private const int MaxDepth = 128;

    private readonly WireCursor _cursor;
    private readonly SourceFile _file;

    private SkeletonReader(SourceFile file)
    {
        _file = file;
        _cursor = new WireCursor(file);
    }

    /// <summary>Reads the model of a file; tensors of at least <see cref="ExternalThresholdBytes"/> are external data.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidModel"/>.</exception>
    public static ModelProto Read(SourceFile file)
    {
        if (file.Length == 0)
            throw new EdgeSplitException(EdgeSplitError.InvalidModel, $"'{file.Path}' is not a valid ONNX model: the file is empty.");
        var output = new ArrayBufferWriter<byte>();
        var reader = new SkeletonReader(file);
        reader.Copy(WireMessage.Model, file.Length, 0, output);
        return Parse(output.WrittenMemory, file.Path);
    }

    /// <summary>Parses a model whose large data lie elsewhere.</summary>
    /// <param name="skeleton">The model as protocol buffer.</param>
    /// <param name="name">What to call it in messages.</param>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidModel"/>.</exception>
    public static ModelProto Parse(ReadOnlyMemory<byte> skeleton, string name)
    {
        try
        {
            using var stream = new MemoryStream(skeleton.ToArray(), writable: false);
            using var input = CodedInputStream.CreateWithLimits(stream, int.MaxValue, MaxDepth);
            return ModelProto.Parser.ParseFrom(input);
        }
        catch (InvalidProtocolBufferException exception)
        {
            throw new EdgeSplitException(EdgeSplitError.InvalidModel, $"'{name}' is not a valid ONNX model: {exception.Message}", exception);
        }
    }

    private void Copy(WireMessage message, long end, int depth, ArrayBufferWriter<byte> output)
    {
        if (depth > MaxDepth)
            throw _cursor.Corrupt($"messages are nested deeper than {MaxDepth}");
        var tensor = new TensorFields();
        while (_cursor.Position < end)
        {
            long start = _cursor.Position;
            (int field, int wireType) = ReadTag(end);
            switch (wireType)
            {
                case WireSchema.VarintType:
                    ulong value = _cursor.ReadVarint(end);
                    if (message == WireMessage.Tensor)
                        tensor.Note(field, value);
                    break;
                case WireSchema.Fixed64Type:
                    _cursor.Skip(sizeof(ulong), end);
                    break;
                case WireSchema.Fixed32Type:
                    _cursor.Skip(sizeof(uint), end);
                    break;
                case WireSchema.LengthType:
                    long contentEnd = _cursor.ReadContentEnd(end);
                    long content = _cursor.Position;
                    _cursor.MoveTo(contentEnd);
                    if (message == WireMessage.Tensor && !tensor.NoteData(field))
                        throw _cursor.Corrupt("the numbers of a tensor come in several pieces");
                    if (contentEnd - content < ExternalThresholdBytes)
                        break;
                    if (message == WireMessage.Tensor && tensor.TryHold(field, content, contentEnd))
                        continue;
                    WireMessage child = WireSchema.Child(message, field);
                    if (child == WireMessage.None)
                        break;
                    var inner = new ArrayBufferWriter<byte>();
                    _cursor.MoveTo(content);
                    Copy(child, contentEnd, depth + 1, inner);
                    WriteField(output, field, inner.WrittenSpan);
                    continue;
                default:
                    throw _cursor.Corrupt($"a field has wire type {wireType}");
            }
            CopyRange(start, _cursor.Position, output);
        }
        if (message == WireMessage.Tensor)
            WriteHeldData(tensor, output);
        if (output.WrittenCount > MaxSkeletonBytes)
            throw _cursor.Corrupt($"the model without its weights has more than {MaxSkeletonBytes >> 20} MiB");
    }

    private (int Field, int WireType) ReadTag(long end)
    {
        ulong tag = _cursor.ReadVarint(end);
        return tag >> 3 is > 0 and <= 0x1fffffff
            ? ((int)(tag >> 3), (int)(tag & 7))
            : throw _cursor.Corrupt($"there is no field {tag >> 3}");
    }

    /// <summary>Puts a held range of the file in as external data, or as it is where its type does not fit.</summary>
    private void WriteHeldData(in TensorFields tensor, ArrayBufferWriter<byte> output)
    {
        if (tensor.HeldField == 0 || tensor.IsExternal)
            return;
        if (!tensor.HoldsRawBytes)
        {
            WriteVarint(output, (uint)tensor.HeldField << 3 | WireSchema.LengthType);
            WriteVarint(output, (ulong)(tensor.HeldEnd - tensor.HeldStart));
            CopyRange(tensor.HeldStart, tensor.HeldEnd, output);
            return;
        }
        var reference = new TensorProto { DataLocation = TensorProto.Types.DataLocation.External };
        ExternalData.Write(reference, System.IO.Path.GetFileName(_file.Path), tensor.HeldStart, tensor.HeldEnd - tensor.HeldStart);
        output.Write(reference.ToByteArray());
    }

    private void CopyRange(long start, long end, ArrayBufferWriter<byte> output)
    {
        if (end - start > MaxSkeletonBytes - output.WrittenCount)
            throw _cursor.Corrupt($"the model without its weights has more than {MaxSkeletonBytes >> 20} MiB");
        long resume = _cursor.Position;
        int count = (int)(end - start);
        _cursor.MoveTo(start);
        _cursor.ReadExactly(output.GetSpan(count)[..count]);
        output.Advance(count);
        _cursor.MoveTo(resume);
    }

    private static void WriteField(ArrayBufferWriter<byte> output, int field, ReadOnlySpan<byte> content)
    {
        WriteVarint(output, (uint)field << 3 | WireSchema.LengthType);
        WriteVarint(output, (ulong)content.Length);
        output.Write(content);
    }

    private static void WriteVarint(ArrayBufferWriter<byte> output, ulong value)
    {
        Span<byte> span = output.GetSpan(10);
        int length = 0;
        for (; value >= 0x80; value >>= 7)
            span[length++] = (byte)(value | 0x80);
        span[length++] = (byte)value;
        output.Advance(length);
    }

    /// <summary>What was seen of a tensor: its type, and the last field of large data, which is held back until the type is known.</summary>
    private struct TensorFields
    {
        private ulong _dataType;
        private bool _hasPackedData;

        public int HeldField { get; private set; }

        public long HeldStart { get; private set; }

        public long HeldEnd { get; private set; }

        public bool IsExternal { get; private set; }

        /// <summary>Whether the held bytes are what raw data would be: packed floats and doubles are, where the type says so.</summary>
        public readonly bool HoldsRawBytes => HeldField switch
        {
            WireSchema.TensorRawData => true,
            WireSchema.TensorFloatData => _dataType is 1 or 14,
            _ => _dataType is 11 or 15,
        };

        public void Note(int field, ulong value)
        {
            if (field == WireSchema.TensorDataType)
                _dataType = value;
            else if (field == WireSchema.TensorDataLocation)
                IsExternal = value == (ulong)TensorProto.Types.DataLocation.External;
        }

        /// <summary>Notes a field of data; false where it is a further piece of packed numbers, which no known writer makes.</summary>
        public bool NoteData(int field)
        {
            if (field is not (WireSchema.TensorFloatData or WireSchema.TensorDoubleData))
                return true;
            bool isFirst = !_hasPackedData;
            _hasPackedData = true;
            return isFirst;
        }

        public bool TryHold(int field, long start, long end)
        {
            if (field is not (WireSchema.TensorRawData or WireSchema.TensorFloatData or WireSchema.TensorDoubleData))
                return false;
            (HeldField, HeldStart, HeldEnd) = (field, start, end);
            return true;
        }
    }
}
