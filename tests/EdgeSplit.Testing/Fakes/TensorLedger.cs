using System.Buffers;
using EdgeSplit.Tensors;

namespace EdgeSplit.Testing.Fakes;

/// <summary>Hands out tensors and counts those not yet disposed of, so that a test can prove that none leaks.</summary>
public sealed class TensorLedger
{
    private int _outstanding;

    /// <summary>Tensors handed out and not disposed of.</summary>
    public int Outstanding => _outstanding;

    /// <summary>A tensor that counts until it is disposed of, and whose memory is wiped then, so that use after disposal shows.</summary>
    public Tensor Allocate(TensorElementType type, TensorShape shape, out Memory<byte> destination)
    {
        int byteCount = checked((int)type.ByteCount(shape.ElementCount));
        var owner = new CountedMemory(this, TensorBufferPool.Shared.Rent(byteCount));
        destination = owner.Memory[..byteCount];
        return Tensor.FromOwner(type, shape, owner);
    }

    private sealed class CountedMemory : IMemoryOwner<byte>
    {
        private readonly TensorLedger _ledger;
        private readonly IMemoryOwner<byte> _inner;
        private int _disposed;

        public CountedMemory(TensorLedger ledger, IMemoryOwner<byte> inner)
        {
            _ledger = ledger;
            _inner = inner;
            Interlocked.Increment(ref ledger._outstanding);
        }

        public Memory<byte> Memory => _inner.Memory;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _disposed, 1) != 0)
                return;
            _inner.Memory.Span.Fill(0xCD);
            _inner.Dispose();
            Interlocked.Decrement(ref _ledger._outstanding);
        }
    }
}
