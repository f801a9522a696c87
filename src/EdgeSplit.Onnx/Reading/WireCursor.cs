namespace EdgeSplit.Onnx.Reading;

/// <summary>Reads protocol-buffer wire format from a file through a small buffer, skipping what nobody asks for.</summary>
internal sealed class WireCursor(SourceFile file)
{
    private readonly byte[] _buffer = new byte[64 * 1024];
    private long _bufferStart;
    private int _bufferLength;

    public long Position { get; private set; }

    /// <summary>Reads a base-128 number that ends before <paramref name="end"/>.</summary>
    public ulong ReadVarint(long end)
    {
        ulong value = 0;
        for (int shift = 0; shift < 70; shift += 7)
        {
            byte next = ReadByte(end);
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
                return value;
        }
        throw Corrupt("a number has more than ten bytes");
    }

    /// <summary>Reads the length of a field's content, which must end by <paramref name="end"/>, and gives the content's end.</summary>
    public long ReadContentEnd(long end)
    {
        ulong length = ReadVarint(end);
        return length <= (ulong)(end - Position)
            ? Position + (long)length
            : throw Corrupt($"a field of {length} bytes does not fit the {end - Position} bytes that are left");
    }

    public void MoveTo(long position) => Position = position;

    /// <summary>Moves past <paramref name="count"/> bytes that must end by <paramref name="end"/>.</summary>
    public void Skip(int count, long end)
    {
        if (count > end - Position)
            throw Corrupt("a field is cut off");
        Position += count;
    }

    /// <summary>Reads all of <paramref name="destination"/>.</summary>
    public void ReadExactly(Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            ReadOnlySpan<byte> available = Available();
            int count = Math.Min(available.Length, destination.Length);
            available[..count].CopyTo(destination);
            destination = destination[count..];
            Position += count;
        }
    }

    public EdgeSplitException Corrupt(string what) => new(EdgeSplitError.InvalidModel,
        $"'{file.Path}' is not a valid ONNX model: near byte {Position}, {what}. The file is damaged, cut off, or of another format.");

    private byte ReadByte(long end)
    {
        if (Position >= end)
            throw Corrupt("a field is cut off");
        byte value = Available()[0];
        Position++;
        return value;
    }

    private ReadOnlySpan<byte> Available()
    {
        long inBuffer = Position - _bufferStart;
        if (inBuffer < 0 || inBuffer >= _bufferLength)
        {
            _bufferStart = Position;
            _bufferLength = file.Read(_buffer, Position);
            if (_bufferLength == 0)
                throw Corrupt("the file ends");
            inBuffer = 0;
        }
        return _buffer.AsSpan((int)inBuffer, _bufferLength - (int)inBuffer);
    }
}
