using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace EdgeSplit.Storage;

/// <summary>The SHA-256 of some content: its name wherever it is stored or sent.</summary>
public readonly struct ContentHash : IEquatable<ContentHash>, IComparable<ContentHash>
{
    /// <summary>The length of a hash in bytes.</summary>
    public const int ByteCount = 32;

    private readonly UInt128 _high;
    private readonly UInt128 _low;

    /// <summary>Creates a hash from its 32 bytes.</summary>
    public ContentHash(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != ByteCount)
            throw new ArgumentException($"A content hash has {ByteCount} bytes, not {bytes.Length}.", nameof(bytes));
        _high = System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes);
        _low = System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes[16..]);
    }

    /// <summary>The hash of <paramref name="content"/>.</summary>
    public static ContentHash Of(ReadOnlySpan<byte> content)
    {
        Span<byte> bytes = stackalloc byte[ByteCount];
        SHA256.HashData(content, bytes);
        return new ContentHash(bytes);
    }

    /// <summary>Reads a hash of 64 hexadecimal digits.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out ContentHash hash)
    {
        Span<byte> bytes = stackalloc byte[ByteCount];
        if (text is { Length: ByteCount * 2 }
            && Convert.FromHexString(text, bytes, out _, out int written) == System.Buffers.OperationStatus.Done
            && written == ByteCount)
        {
            hash = new ContentHash(bytes);
            return true;
        }
        hash = default;
        return false;
    }

    /// <summary>Writes the 32 bytes of the hash.</summary>
    public void CopyTo(Span<byte> destination)
    {
        System.Buffers.Binary.BinaryPrimitives.WriteUInt128BigEndian(destination, _high);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt128BigEndian(destination[16..], _low);
    }

    /// <summary>The hash as 64 lower-case hexadecimal digits.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[ByteCount];
        CopyTo(bytes);
        return Convert.ToHexStringLower(bytes);
    }

    /// <inheritdoc/>
    public bool Equals(ContentHash other) => _high == other._high && _low == other._low;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is ContentHash other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _low.GetHashCode();

    /// <inheritdoc/>
    public int CompareTo(ContentHash other)
    {
        int high = _high.CompareTo(other._high);
        return high != 0 ? high : _low.CompareTo(other._low);
    }

    /// <summary>Whether both are the hash of the same content.</summary>
    public static bool operator ==(ContentHash left, ContentHash right) => left.Equals(right);

    /// <summary>Whether the hashes differ.</summary>
    public static bool operator !=(ContentHash left, ContentHash right) => !left.Equals(right);
}
