using System.Buffers;
using System.Runtime.InteropServices;
using EdgeSplit.Tensors;

namespace EdgeSplit.Coordination.Batching.Internal;

/// <summary>Joins tensors along their first dimension, and takes joined ones apart without a copy.</summary>
internal static class TensorRows
{
    /// <summary>One tensor of the rows of all, which have equal types and shapes but for the first dimension. The caller disposes of it.</summary>
    public static Tensor Join(IReadOnlyList<Tensor> parts)
    {
        Tensor first = parts[0];
        long rows = parts.Sum(static part => part.Shape.Dimensions[0]);
        TensorShape shape = WithRows(first, rows);
        if (first.ElementType == TensorElementType.String)
            return Tensor.FromStrings(parts.SelectMany(static part => part.Strings), shape);
        Tensor joined = Tensor.Allocate(first.ElementType, shape, out Memory<byte> destination);
        foreach (Tensor part in parts)
        {
            part.Bytes.CopyTo(destination);
            destination = destination[part.Bytes.Length..];
        }
        return joined;
    }

    /// <summary>Some rows of a tensor, over the same memory.</summary>
    /// <param name="joined">The tensor.</param>
    /// <param name="start">The first row.</param>
    /// <param name="count">How many.</param>
    /// <param name="memory">Keeps the memory; told when the rows are disposed of.</param>
    public static Tensor Slice(Tensor joined, int start, int count, SharedMemory memory)
    {
        int rows = (int)joined.Shape.Dimensions[0];
        TensorShape shape = WithRows(joined, count);
        if (joined.ElementType == TensorElementType.String)
        {
            int width = joined.Strings.Count / rows;
            return Tensor.FromStrings(joined.Strings.Skip(start * width).Take(count * width), shape);
        }
        int bytes = joined.Bytes.Length / rows;
        return Tensor.FromOwner(joined.ElementType, shape, memory.Lend(MemoryMarshal.AsMemory(joined.Bytes.Slice(start * bytes, count * bytes))));
    }

    private static TensorShape WithRows(Tensor tensor, long rows) => new([rows, .. tensor.Shape.Dimensions.AsSpan()[1..]]);

    /// <summary>Memory that several tensors share; what it belongs to is disposed of with the last of them.</summary>
    internal sealed class SharedMemory(IDisposable owner) : IDisposable
    {
        // One for whoever hands it out.
        private int _users = 1;

        public IMemoryOwner<byte> Lend(Memory<byte> memory)
        {
            Interlocked.Increment(ref _users);
            return new Loan(this, memory);
        }

        public void Dispose()
        {
            if (Interlocked.Decrement(ref _users) == 0)
                owner.Dispose();
        }

        // A tensor disposes of its owner once.
        private sealed class Loan(SharedMemory memory, Memory<byte> bytes) : IMemoryOwner<byte>
        {
            public Memory<byte> Memory => bytes;

            public void Dispose() => memory.Dispose();
        }
    }
}
