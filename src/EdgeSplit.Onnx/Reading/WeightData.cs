using System.Buffers;
using System.Security.Cryptography;
using EdgeSplit.Storage;

namespace EdgeSplit.Onnx.Reading;

/// <summary>The elements of one tensor of the model as raw bytes: a range of a file, or memory. Thread-safe.</summary>
internal sealed class WeightData
{
    private const int BufferBytes = 1 << 20;
    private readonly SourceFile? _file;
    private readonly long _offset;
    private readonly ReadOnlyMemory<byte> _memory;
    private readonly Lazy<ContentHash> _hash;

    public WeightData(SourceFile file, long offset, long byteCount)
    {
        _file = file;
        _offset = offset;
        ByteCount = byteCount;
        _hash = new Lazy<ContentHash>(ComputeHash);
    }

    public WeightData(ReadOnlyMemory<byte> memory)
    {
        _memory = memory;
        ByteCount = memory.Length;
        _hash = new Lazy<ContentHash>(ComputeHash);
    }

    public long ByteCount { get; }

    /// <summary>The hash of the bytes; the first call reads them all.</summary>
    public ContentHash Hash => _hash.Value;

    public Stream Open() => new WeightStream(this);

    /// <summary>Reads bytes from <paramref name="position"/> on; 0 at the end.</summary>
    public int Read(Span<byte> destination, long position)
    {
        int count = (int)Math.Min(destination.Length, ByteCount - position);
        if (count <= 0)
            return 0;
        if (_file is null)
        {
            _memory.Span.Slice((int)position, count).CopyTo(destination);
            return count;
        }
        int read = _file.Read(destination[..count], _offset + position);
        return read > 0
            ? read
            : throw new EdgeSplitException(EdgeSplitError.InvalidModel, $"'{_file.Path}' became shorter while it was open; restore the file and open the model again.");
    }

    private ContentHash ComputeHash()
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(BufferBytes, Math.Max(ByteCount, 1)));
        try
        {
            int read;
            for (long position = 0; (read = Read(buffer, position)) > 0; position += read)
                sha.AppendData(buffer, 0, read);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        Span<byte> hash = stackalloc byte[ContentHash.ByteCount];
        sha.GetHashAndReset(hash);
        return new ContentHash(hash);
    }
}
