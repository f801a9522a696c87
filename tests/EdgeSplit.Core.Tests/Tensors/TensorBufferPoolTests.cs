using System.Buffers;
using System.Runtime.InteropServices;
using CsCheck;
using EdgeSplit.Tensors;

namespace EdgeSplit.Tests.Tensors;

public sealed class TensorBufferPoolTests
{
    [Test]
    public void Rent_gives_memory_of_exactly_that_size_aligned_for_vectors() => Gen.Int[0, 100_000].Array[1, 10].Sample(static sizes =>
    {
        using var pool = new TensorBufferPool();
        foreach (int size in sizes)
        {
            using IMemoryOwner<byte> owner = pool.Rent(size);
            Assert.That(owner.Memory.Length, Is.EqualTo(size));
            using MemoryHandle pin = owner.Memory.Pin();
            unsafe
            {
                Assert.That(size == 0 || (nuint)pin.Pointer % 64 == 0);
            }
        }
    });

    [Test]
    public void Rent_reuses_what_was_returned()
    {
        using var pool = new TensorBufferPool();
        IMemoryOwner<byte> first = pool.Rent(1000);
        byte[] array = ArrayOf(first);
        first.Dispose();
        using IMemoryOwner<byte> second = pool.Rent(700);
        Assert.That(ArrayOf(second), Is.SameAs(array));
    }

    [Test]
    public void Return_beyond_the_limit_is_not_kept()
    {
        using var pool = new TensorBufferPool(retainedBytesLimit: 0);
        IMemoryOwner<byte> first = pool.Rent(1000);
        byte[] array = ArrayOf(first);
        first.Dispose();
        using IMemoryOwner<byte> second = pool.Rent(1000);
        Assert.That(ArrayOf(second), Is.Not.SameAs(array));
    }

    [Test]
    public void Dispose_twice_does_not_lend_one_buffer_to_two()
    {
        using var pool = new TensorBufferPool();
        IMemoryOwner<byte> first = pool.Rent(1000);
        first.Dispose();
        first.Dispose();
        using IMemoryOwner<byte> second = pool.Rent(1000);
        using IMemoryOwner<byte> third = pool.Rent(1000);
        Assert.That(ArrayOf(second), Is.Not.SameAs(ArrayOf(third)));
        Assert.Throws<ObjectDisposedException>(() => _ = first.Memory);
    }

    [Test]
    public void Rent_by_many_at_once_lends_no_buffer_twice()
    {
        using var pool = new TensorBufferPool();
        Parallel.For(0, 2000, run =>
        {
            using IMemoryOwner<byte> owner = pool.Rent(run % 5 * 300);
            owner.Memory.Span.Fill((byte)run);
            Thread.Yield();
            Assert.That(owner.Memory.Span.ContainsAnyExcept((byte)run), Is.False);
        });
    }

    private static byte[] ArrayOf(IMemoryOwner<byte> owner) =>
        MemoryMarshal.TryGetArray(owner.Memory, out ArraySegment<byte> segment) ? segment.Array! : throw new AssertionException("The memory is not an array's.");

    [Test]
    public void Checked_pool_finds_writes_beyond_a_buffer_and_after_its_return()
    {
        var pool = new TensorBufferPool(isChecked: true);
        IMemoryOwner<byte> honest = pool.Rent(1000);
        honest.Memory.Span.Fill(7);
        honest.Dispose();

        IMemoryOwner<byte> overrun = pool.Rent(1000);
        Assert.That(MemoryMarshal.TryGetArray<byte>(overrun.Memory, out ArraySegment<byte> segment));
        segment.Array![segment.Offset + segment.Count] ^= 1;
        Assert.That(overrun.Dispose, Throws.InvalidOperationException);

        IMemoryOwner<byte> early = pool.Rent(1000);
        Memory<byte> kept = early.Memory;
        early.Dispose();
        kept.Span[5] = 1;
        Assert.That(() => pool.Rent(1000), Throws.InvalidOperationException);
    }
}
