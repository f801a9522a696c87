using System.Buffers;
using System.Runtime.InteropServices;

namespace EdgeSplit.Onnx.Runtime;

/// <summary>Zeroed memory that goes back to the system at once when it is disposed of, for large buffers that are needed once.</summary>
internal sealed unsafe class NativeBuffer(int byteCount) : MemoryManager<byte>
{
    private const nuint Alignment = 64;

    private void* _memory = Allocate(byteCount);

    public override Span<byte> GetSpan() => new(_memory, byteCount);

    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)elementIndex, (uint)byteCount);
        return new MemoryHandle((byte*)_memory + elementIndex);
    }

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
    }

    private static void* Allocate(int byteCount)
    {
        void* memory = NativeMemory.AlignedAlloc((nuint)byteCount, Alignment);
        NativeMemory.Clear(memory, (nuint)byteCount);
        return memory;
    }
}
