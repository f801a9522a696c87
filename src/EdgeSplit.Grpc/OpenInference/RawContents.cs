using EdgeSplit.Tensors;

namespace EdgeSplit.Grpc.OpenInference;

/// <summary>Tensors from what a request says of them and their bytes.</summary>
internal static class RawContents
{
    /// <summary>A request's shape.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidInput"/>.</exception>
    public static TensorShape ShapeOf(string name, IEnumerable<long> dimensions)
    {
        long[] sizes = [.. dimensions];
        try
        {
            return new TensorShape(sizes);
        }
        catch (ArgumentException exception)
        {
            throw new EdgeSplitException(EdgeSplitError.InvalidInput, $"Input '{name}' has the shape [{string.Join(", ", sizes)}]; dimensions are 0 or more, and their product must fit into 64 bits.", exception);
        }
    }

    /// <summary>A tensor over bytes that must outlive it.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidInput"/>: the bytes are not that many elements.</exception>
    public static Tensor Wrap(string name, TensorElementType type, TensorShape shape, ReadOnlyMemory<byte> bytes)
    {
        if (type == TensorElementType.String)
            return Strings(name, shape, bytes.Span);
        CheckLength(name, type, shape, bytes.Length);
        return Tensor.Wrap(type, shape, bytes);
    }

    /// <summary>A tensor with a copy of bytes.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidInput"/>: the bytes are not that many elements.</exception>
    public static Tensor Copy(string name, TensorElementType type, TensorShape shape, ReadOnlySpan<byte> bytes, TensorBufferPool pool)
    {
        if (type == TensorElementType.String)
            return Strings(name, shape, bytes);
        CheckLength(name, type, shape, bytes.Length);
        Tensor tensor = Tensor.Allocate(type, shape, out Memory<byte> destination, pool);
        bytes.CopyTo(destination.Span);
        return tensor;
    }

    private static Tensor Strings(string name, TensorShape shape, ReadOnlySpan<byte> bytes)
    {
        try
        {
            return StringTensorCodec.Decode(shape, bytes);
        }
        catch (FormatException exception)
        {
            throw new EdgeSplitException(EdgeSplitError.InvalidInput, $"Input '{name}' of BYTES {shape}: {exception.Message}.", exception);
        }
    }

    private static void CheckLength(string name, TensorElementType type, TensorShape shape, int length)
    {
        UInt128 needed = ((UInt128)(ulong)shape.ElementCount * (uint)type.BitsPerElement() + 7) / 8;
        if (needed != (uint)length)
            throw new EdgeSplitException(EdgeSplitError.InvalidInput, $"Input '{name}' has {length} bytes; {Datatypes.NameOf(type)} {shape} needs {needed}.");
    }
}
