using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace EdgeSplit.Tensors;

/// <summary>
/// A dense tensor: element type, shape, and its elements as bytes (row-major, little-endian, sub-byte types packed),
/// or as strings for <see cref="TensorElementType.String"/>.
/// </summary>
/// <remarks>
/// A tensor has one owner, who disposes of it once; a method that takes a tensor borrows it until it returns (or until
/// its task completes) unless it says otherwise. The elements must not change while the tensor is lent.
/// </remarks>
public sealed class Tensor : IDisposable
{
    private readonly ReadOnlyMemory<byte> _bytes;
    private readonly string[]? _strings;
    private IMemoryOwner<byte>? _owner;
    private bool _disposed;

    private Tensor(TensorElementType elementType, TensorShape shape, ReadOnlyMemory<byte> bytes, string[]? strings, IMemoryOwner<byte>? owner)
    {
        ElementType = elementType;
        Shape = shape;
        _bytes = bytes;
        _strings = strings;
        _owner = owner;
    }

    /// <summary>The type of the elements.</summary>
    public TensorElementType ElementType { get; }

    /// <summary>The dimensions.</summary>
    public TensorShape Shape { get; }

    /// <summary>The size of the elements in bytes; for strings, the sum of their UTF-8 lengths.</summary>
    public long ByteCount => _strings is null ? _bytes.Length : _strings.Sum(static text => (long)System.Text.Encoding.UTF8.GetByteCount(text));

    /// <summary>The elements as bytes.</summary>
    /// <exception cref="InvalidOperationException">The elements are strings.</exception>
    /// <exception cref="ObjectDisposedException">The tensor was disposed of.</exception>
    public ReadOnlyMemory<byte> Bytes
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _strings is null ? _bytes : throw new InvalidOperationException("A tensor of strings has no bytes; use Strings.");
        }
    }

    /// <summary>The elements of a tensor of strings.</summary>
    /// <exception cref="InvalidOperationException">The elements are not strings.</exception>
    public IReadOnlyList<string> Strings => _strings
        ?? throw new InvalidOperationException($"A tensor of {ElementType} has no strings; use Bytes.");

    /// <summary>Creates a tensor over memory that the tensor owns from now on and returns when disposed of.</summary>
    /// <param name="elementType">A type other than strings.</param>
    /// <param name="shape">The dimensions.</param>
    /// <param name="owner">Memory whose first bytes are the elements.</param>
    /// <exception cref="ArgumentException">The memory is too small for the shape.</exception>
    public static Tensor FromOwner(TensorElementType elementType, TensorShape shape, IMemoryOwner<byte> owner)
    {
        ArgumentNullException.ThrowIfNull(owner);
        ReadOnlyMemory<byte> memory = owner.Memory;
        return new Tensor(elementType, shape, memory[..CheckedLength(elementType, shape, memory.Length)], null, owner);
    }

    /// <summary>Creates a tensor over memory that stays the caller's and must outlive the tensor.</summary>
    /// <exception cref="ArgumentException">The memory is not exactly as long as the shape needs.</exception>
    public static Tensor Wrap(TensorElementType elementType, TensorShape shape, ReadOnlyMemory<byte> bytes)
    {
        if (CheckedLength(elementType, shape, bytes.Length) != bytes.Length)
            throw new ArgumentException($"{bytes.Length} bytes do not make a tensor of {elementType} {shape}.", nameof(bytes));
        return new Tensor(elementType, shape, bytes, null, null);
    }

    /// <summary>Creates a tensor with a pooled buffer for the caller to fill through <paramref name="destination"/> before the tensor is used.</summary>
    public static Tensor Allocate(TensorElementType elementType, TensorShape shape, out Memory<byte> destination, TensorBufferPool? pool = null)
    {
        long byteCount = elementType.ByteCount(shape.ElementCount);
        if (elementType.BitsPerElement() == 0 || byteCount > Array.MaxLength)
            throw new ArgumentException($"A tensor of {elementType} {shape} has no buffer of its own.", nameof(elementType));
        IMemoryOwner<byte> owner = (pool ?? TensorBufferPool.Shared).Rent((int)byteCount);
        destination = owner.Memory[..(int)byteCount];
        return FromOwner(elementType, shape, owner);
    }

    /// <summary>Creates a tensor with a copy of <paramref name="elements"/>, its element type being that of <typeparamref name="T"/>.</summary>
    /// <exception cref="ArgumentException"><typeparamref name="T"/> is no element type, or the count does not match the shape.</exception>
    public static Tensor Create<T>(ReadOnlySpan<T> elements, TensorShape shape)
        where T : unmanaged
    {
        if (elements.Length != shape.ElementCount)
            throw new ArgumentException($"{elements.Length} elements do not fill the shape {shape}.", nameof(elements));
        Tensor tensor = Allocate(ElementTypeOf<T>(), shape, out Memory<byte> destination);
        MemoryMarshal.AsBytes(elements).CopyTo(destination.Span);
        return tensor;
    }

    /// <summary>Creates a tensor of strings.</summary>
    public static Tensor FromStrings(IEnumerable<string> elements, TensorShape shape)
    {
        ArgumentNullException.ThrowIfNull(elements);
        string[] strings = [.. elements];
        if (strings.Length != shape.ElementCount)
            throw new ArgumentException($"{strings.Length} strings do not fill the shape {shape}.", nameof(elements));
        return new Tensor(TensorElementType.String, shape, default, strings, null);
    }

    /// <summary>The elements as values of <typeparamref name="T"/>, which must have the size of an element.</summary>
    /// <exception cref="InvalidOperationException">An element does not have the size of <typeparamref name="T"/>.</exception>
    public ReadOnlySpan<T> AsSpan<T>()
        where T : unmanaged
    {
        if (Unsafe.SizeOf<T>() * 8 != ElementType.BitsPerElement())
            throw new InvalidOperationException($"A tensor of {ElementType} cannot be read as {typeof(T).Name}.");
        return MemoryMarshal.Cast<byte, T>(Bytes.Span);
    }

    /// <summary>A copy with a buffer of its own.</summary>
    public Tensor Clone()
    {
        if (_strings is not null)
            return FromStrings(_strings, Shape);
        Tensor copy = Allocate(ElementType, Shape, out Memory<byte> destination);
        Bytes.CopyTo(destination);
        return copy;
    }

    /// <summary>Returns the buffer to its pool. Further use throws.</summary>
    public void Dispose()
    {
        _disposed = true;
        Interlocked.Exchange(ref _owner, null)?.Dispose();
    }

    /// <summary>Type and shape, as <c>Float [1, 3, 224, 224]</c>.</summary>
    public override string ToString() => $"{ElementType} {Shape}";

    private static int CheckedLength(TensorElementType elementType, TensorShape shape, int available)
    {
        if (elementType.BitsPerElement() == 0)
            throw new ArgumentException($"A tensor of {elementType} is not made of bytes.", nameof(elementType));
        long needed = elementType.ByteCount(shape.ElementCount);
        return needed <= available
            ? (int)needed
            : throw new ArgumentException($"A tensor of {elementType} {shape} needs {needed} bytes, not {available}.", nameof(shape));
    }

    private static TensorElementType ElementTypeOf<T>() => default(T) switch
    {
        float => TensorElementType.Float,
        double => TensorElementType.Double,
        byte => TensorElementType.UInt8,
        sbyte => TensorElementType.Int8,
        ushort => TensorElementType.UInt16,
        short => TensorElementType.Int16,
        uint => TensorElementType.UInt32,
        int => TensorElementType.Int32,
        ulong => TensorElementType.UInt64,
        long => TensorElementType.Int64,
        bool => TensorElementType.Bool,
        Half => TensorElementType.Float16,
        _ => throw new ArgumentException($"{typeof(T).Name} is no tensor element type; use Wrap or Allocate with bytes."),
    };
}
