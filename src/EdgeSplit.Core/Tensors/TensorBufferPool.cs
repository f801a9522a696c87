using System.Buffers;
using System.Collections.Concurrent;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace EdgeSplit.Tensors;

/// <summary>
/// A pool of 64-byte aligned buffers for tensor bodies. They never move, so sockets and ONNX Runtime use them without
/// pinning. Thread-safe. A buffer has one owner, who disposes of it once; one that its owner forgets is left to the
/// garbage collector.
/// </summary>
/// <remarks>
/// A checked pool finds out who breaks that rule, at the price of filling and reading every buffer: it surrounds each with bytes that
/// nobody may change, and what lies free must stay as it was left. For tests.
/// </remarks>
public sealed class TensorBufferPool : MemoryPool<byte>
{
    private const int Alignment = 64;
    private const int SmallestClassLog2 = 8;
    private const int LargestClassLog2 = 30;
    private readonly ConcurrentBag<byte[]>[] _free = new ConcurrentBag<byte[]>[LargestClassLog2 - SmallestClassLog2 + 1];
    private const int GuardBytes = Alignment;
    private const byte GuardByte = 0xA5;
    private const byte FreeByte = 0xDD;
    private readonly bool _isChecked;
    private readonly long _retainedBytesLimit;
    private long _retainedBytes;
    private long _rentedBuffers;

    /// <summary>Creates a pool that keeps at most <paramref name="retainedBytesLimit"/> bytes of returned buffers for reuse.</summary>
    /// <param name="retainedBytesLimit">The bytes to keep.</param>
    /// <param name="isChecked">
    /// Whether to find buffers that someone writes beyond, or into after returning them: disposing of such a buffer, or taking it
    /// anew, throws <see cref="InvalidOperationException"/>.
    /// </param>
    public TensorBufferPool(long retainedBytesLimit = 256L << 20, bool isChecked = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(retainedBytesLimit);
        _retainedBytesLimit = retainedBytesLimit;
        _isChecked = isChecked;
        for (int i = 0; i < _free.Length; i++)
            _free[i] = [];
    }

    /// <summary>The pool used where none is given; keeps at most 256 MiB.</summary>
    public static new TensorBufferPool Shared { get; } = new();

    /// <summary>The number of buffers that were taken and not disposed of.</summary>
    public long RentedBuffers => Interlocked.Read(ref _rentedBuffers);

    /// <inheritdoc/>
    public override int MaxBufferSize => Array.MaxLength - Alignment;

    /// <summary>Takes a buffer whose memory is exactly <paramref name="minBufferSize"/> bytes (0 when negative); its content is undefined.</summary>
    /// <exception cref="OutOfMemoryException">The memory is not to be had.</exception>
    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        int length = Math.Max(minBufferSize, 0);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, MaxBufferSize, nameof(minBufferSize));
        int classLog2 = Math.Max(BitOperations.Log2((uint)Math.Max(length - 1, 1)) + 1, SmallestClassLog2);
        int sizeClass = classLog2 > LargestClassLog2 ? -1 : classLog2 - SmallestClassLog2;
        byte[]? array = null;
        if (sizeClass >= 0 && _free[sizeClass].TryTake(out array))
        {
            Interlocked.Add(ref _retainedBytes, -array.Length);
            if (_isChecked && array.AsSpan().ContainsAnyExcept(FreeByte))
                throw new InvalidOperationException("A buffer was written to after it had been returned to its pool.");
        }
        int guards = _isChecked ? 2 * GuardBytes : 0;
        array ??= GC.AllocateUninitializedArray<byte>((sizeClass >= 0 ? 1 << classLog2 : length) + Alignment + guards, pinned: true);
        Interlocked.Increment(ref _rentedBuffers);
        var buffer = new PooledBuffer(this, array, length, sizeClass);
        if (_isChecked)
            buffer.RaiseGuards();
        return buffer;
    }

    /// <summary>Lets go of the buffers kept for reuse. Buffers in use stay valid.</summary>
    protected override void Dispose(bool disposing)
    {
        foreach (ConcurrentBag<byte[]> bag in _free)
        {
            while (bag.TryTake(out byte[]? array))
                Interlocked.Add(ref _retainedBytes, -array.Length);
        }
    }

    private void Return(byte[] array, int sizeClass)
    {
        if (sizeClass < 0)
            return;
        if (Interlocked.Add(ref _retainedBytes, array.Length) <= _retainedBytesLimit)
            _free[sizeClass].Add(array);
        else
            Interlocked.Add(ref _retainedBytes, -array.Length);
    }

    private sealed class PooledBuffer(TensorBufferPool pool, byte[] array, int length, int sizeClass) : IMemoryOwner<byte>
    {
        private readonly int _start = AlignedStart(array) + (pool._isChecked ? GuardBytes : 0);
        private byte[]? _array = array;

        public Memory<byte> Memory
        {
            get
            {
                byte[]? current = _array;
                ObjectDisposedException.ThrowIf(current is null, typeof(Tensor));
                return System.Runtime.InteropServices.MemoryMarshal.CreateFromPinnedArray(current, _start, length);
            }
        }

        public void Dispose()
        {
            byte[]? current = Interlocked.Exchange(ref _array, null);
            if (current is null)
                return;
            Interlocked.Decrement(ref pool._rentedBuffers);
            if (pool._isChecked)
                CheckGuards(current);
            pool.Return(current, sizeClass);
        }

        public void RaiseGuards()
        {
            _array.AsSpan(0, _start).Fill(GuardByte);
            _array.AsSpan(_start + length).Fill(GuardByte);
        }

        private void CheckGuards(byte[] current)
        {
            if (current.AsSpan(0, _start).ContainsAnyExcept(GuardByte) || current.AsSpan(_start + length).ContainsAnyExcept(GuardByte))
                throw new InvalidOperationException($"Someone wrote beyond a buffer of {length} bytes.");
            current.AsSpan().Fill(FreeByte);
        }

        private static unsafe int AlignedStart(byte[] array)
        {
            nuint address = (nuint)Unsafe.AsPointer(ref System.Runtime.InteropServices.MemoryMarshal.GetArrayDataReference(array));
            return (int)((Alignment - (address & (Alignment - 1))) & (Alignment - 1));
        }
    }
}
