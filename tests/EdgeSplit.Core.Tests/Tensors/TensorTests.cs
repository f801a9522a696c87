using System.Buffers;
using CsCheck;
using EdgeSplit.Tensors;

namespace EdgeSplit.Tests.Tensors;

public sealed class TensorTests
{
    [Test]
    public void Create_then_AsSpan_gives_the_elements() => Gen.Float.Array[0, 200].Sample(static elements =>
    {
        using Tensor tensor = Tensor.Create<float>(elements, new TensorShape(elements.Length));
        return tensor.ElementType == TensorElementType.Float && tensor.ByteCount == elements.Length * 4 && tensor.AsSpan<float>().SequenceEqual(elements);
    });

    [Test]
    public void Clone_outlives_the_original()
    {
        Tensor original = Tensor.Create<int>([1, 2, 3, 4], new TensorShape(2, 2));
        using Tensor clone = original.Clone();
        original.Dispose();
        using Tensor other = Tensor.Create<int>([9, 9, 9, 9], new TensorShape(2, 2));
        Assert.That(clone.AsSpan<int>().ToArray(), Is.EqualTo(new[] { 1, 2, 3, 4 }));
        Assert.That(clone.Shape, Is.EqualTo(new TensorShape(2, 2)));
    }

    [Test]
    public void Strings_are_kept_and_counted_in_utf8()
    {
        using Tensor tensor = Tensor.FromStrings(["a", "ü", ""], new TensorShape(3));
        using Tensor clone = tensor.Clone();
        Assert.That(clone.Strings, Is.EqualTo(new[] { "a", "ü", "" }));
        Assert.That(tensor.ByteCount, Is.EqualTo(3));
        Assert.Throws<InvalidOperationException>(() => _ = tensor.Bytes);
        Assert.Throws<ArgumentException>(() => Tensor.FromStrings(["a"], new TensorShape(2)));
    }

    [Test]
    public void Dispose_twice_returns_the_memory_once_and_forbids_use()
    {
        var owner = new CountingOwner();
        Tensor tensor = Tensor.FromOwner(TensorElementType.UInt8, new TensorShape(4), owner);
        tensor.Dispose();
        tensor.Dispose();
        Assert.That(owner.Disposals, Is.EqualTo(1));
        Assert.Throws<ObjectDisposedException>(() => _ = tensor.Bytes);
    }

    [Test]
    public void Memory_that_does_not_fit_the_shape_is_refused()
    {
        Assert.Throws<ArgumentException>(() => Tensor.FromOwner(TensorElementType.Float, new TensorShape(2), new CountingOwner()));
        Assert.Throws<ArgumentException>(() => Tensor.Wrap(TensorElementType.Float, new TensorShape(2), new byte[9]));
        Assert.Throws<ArgumentException>(() => Tensor.Create<float>([1, 2, 3], new TensorShape(2)));
        Assert.Throws<ArgumentException>(() => Tensor.Create<char>(['a'], new TensorShape(1)));
        Assert.Throws<ArgumentException>(() => Tensor.Allocate(TensorElementType.String, new TensorShape(1), out _));
    }

    [Test]
    public void AsSpan_of_another_size_is_refused()
    {
        using Tensor tensor = Tensor.Create<float>([1], new TensorShape(1));
        Assert.Throws<InvalidOperationException>(() => tensor.AsSpan<double>());
    }

    [TestCase(TensorElementType.Int4, 5, 3)]
    [TestCase(TensorElementType.UInt2, 9, 3)]
    [TestCase(TensorElementType.UInt4, 0, 0)]
    [TestCase(TensorElementType.Complex128, 3, 48)]
    [TestCase(TensorElementType.Bool, 3, 3)]
    [TestCase(TensorElementType.String, 3, 0)]
    public void ByteCount_packs_elements_below_a_byte(TensorElementType type, long elements, long bytes) =>
        Assert.That(type.ByteCount(elements), Is.EqualTo(bytes));

    [Test]
    public void ByteCount_beyond_64_bits_throws() => Assert.Throws<OverflowException>(() => TensorElementType.Double.ByteCount(long.MaxValue / 4));

    [Test]
    public void Shape_counts_its_elements_and_compares_by_value()
    {
        Assert.That(new TensorShape().ElementCount, Is.EqualTo(1));
        Assert.That(default(TensorShape), Is.EqualTo(new TensorShape()));
        Assert.That(new TensorShape(2, 0, 3).ElementCount, Is.Zero);
        Assert.That(new TensorShape(2, 3) == new TensorShape(2, 3));
        Assert.That(new TensorShape(2, 3) != new TensorShape(3, 2));
        Assert.That(default(TensorShape).GetHashCode(), Is.EqualTo(new TensorShape().GetHashCode()));
        Assert.That(new TensorShape(1, 224).ToString(), Is.EqualTo("[1, 224]"));
        Assert.Throws<ArgumentException>(() => _ = new TensorShape(2, -1));
        Assert.Throws<ArgumentException>(() => _ = new TensorShape(long.MaxValue, 2));
    }

    private sealed class CountingOwner : IMemoryOwner<byte>
    {
        public int Disposals { get; private set; }

        public Memory<byte> Memory { get; } = new byte[4];

        public void Dispose() => Disposals++;
    }
}
