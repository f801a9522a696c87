using System.Buffers;

namespace EdgeSplit.Onnx.Runtime.Native;

/// <summary>The elements of a tensor that ONNX Runtime made, as memory; disposal releases the tensor.</summary>
/// <remarks>There is no finalizer on purpose: it could free the elements under a span that outlives the last reference to the tensor.</remarks>
internal sealed unsafe class OrtValueMemory : MemoryManager<byte>
{
    private readonly void* _elements;
    private readonly int _byteCount;
    private nint _value;

    /// <summary>Takes over a value.</summary>
    public OrtValueMemory(nint value, void* elements, int byteCount)
    {
        _value = value;
        _elements = elements;
        _byteCount = byteCount;
    }

    /// <inheritdoc/>
    public override Span<byte> GetSpan()
    {
        ObjectDisposedException.ThrowIf(_value == 0, typeof(Tensors.Tensor));
        return new Span<byte>(_elements, _byteCount);
    }

    /// <inheritdoc/>
    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ObjectDisposedException.ThrowIf(_value == 0, typeof(Tensors.Tensor));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)elementIndex, (uint)_byteCount);
        return new MemoryHandle((byte*)_elements + elementIndex, pinnable: this);
    }

    /// <inheritdoc/>
    public override void Unpin()
    {
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        nint value = Interlocked.Exchange(ref _value, 0);
        if (value != 0)
            OrtNative.ReleaseValue(value);
    }
}
