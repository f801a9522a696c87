using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using EdgeSplit.Tensors;
using Microsoft.ML.OnnxRuntime;

namespace EdgeSplit.Onnx.Runtime.Native;

/// <summary>Turns our tensors into ONNX Runtime's values and back, without copying elements other than strings.</summary>
internal static unsafe class OrtTensors
{
    private static readonly Lazy<OrtMemoryInfo> CpuMemory = new(static () => new OrtMemoryInfo(OrtMemoryInfo.allocatorCPU, OrtAllocatorType.DeviceAllocator, 0, OrtMemType.Default));

    /// <summary>Something to point at for a tensor without elements.</summary>
    private static readonly void* Nothing = NativeMemory.AlignedAlloc(64, 64);

    /// <summary>Creates a value over a tensor's elements; for strings, with a copy of them.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="pin">Keeps the elements in place; the caller disposes of it after releasing the value.</param>
    /// <param name="elements">Where the elements are; null for strings.</param>
    public static nint Lend(Tensor tensor, out MemoryHandle pin, out nint elements)
    {
        if (tensor.ElementType is TensorElementType.String)
        {
            pin = default;
            elements = 0;
            return CopyStrings(tensor);
        }
        pin = tensor.Bytes.Pin();
        void* data = tensor.Bytes.Length > 0 ? pin.Pointer : Nothing;
        elements = (nint)data;
        nint value;
        fixed (long* dimensions = tensor.Shape.Dimensions.AsSpan())
        {
            OrtNative.Check(((delegate* unmanaged<nint, void*, nuint, long*, nuint, int, nint*, nint>)OrtNative.Api.CreateTensorWithDataAsOrtValue)(
                CpuMemory.Value.DangerousGetHandle(), data, (nuint)tensor.Bytes.Length, dimensions, (nuint)tensor.Shape.Rank, OrtTypeReader.ToRuntime(tensor.ElementType), &value));
        }
        return value;
    }

    /// <summary>Makes a tensor of a value that a run gave, and takes the value over.</summary>
    /// <param name="value">The value, released here or with the tensor.</param>
    /// <param name="borrowed">Where the inputs' elements are: a model may pass an input through, whose memory is not the result's to keep.</param>
    public static Tensor Take(nint value, ReadOnlySpan<nint> borrowed)
    {
        bool taken = false;
        try
        {
            (TensorElementType elementType, TensorShape shape) = OrtTypeReader.OfTensor(value);
            if (elementType is TensorElementType.String)
                return Tensor.FromStrings(ReadStrings(value, checked((int)shape.ElementCount)), shape);
            long byteCount = elementType.ByteCount(shape.ElementCount);
            if (byteCount > Array.MaxLength)
                throw new EdgeSplitException(EdgeSplitError.ExecutionFailed, $"A result of {elementType} {shape} has {byteCount} bytes; tensors that pass between partitions are limited to 2 GB.");
            void* data;
            OrtNative.Check(((delegate* unmanaged<nint, void**, nint>)OrtNative.Api.GetTensorMutableData)(value, &data));
            if (byteCount > 0 && borrowed.Contains((nint)data))
            {
                Tensor copy = Tensor.Allocate(elementType, shape, out Memory<byte> destination);
                new ReadOnlySpan<byte>(data, (int)byteCount).CopyTo(destination.Span);
                return copy;
            }
            var owner = new OrtValueMemory(value, data, (int)byteCount);
            taken = true;
            return Tensor.FromOwner(elementType, shape, owner);
        }
        finally
        {
            if (!taken)
                OrtNative.ReleaseValue(value);
        }
    }

    private static nint CopyStrings(Tensor tensor)
    {
        nint allocator, value;
        OrtNative.Check(((delegate* unmanaged<nint*, nint>)OrtNative.Api.GetAllocatorWithDefaultOptions)(&allocator));
        fixed (long* dimensions = tensor.Shape.Dimensions.AsSpan())
        {
            OrtNative.Check(((delegate* unmanaged<nint, long*, nuint, int, nint*, nint>)OrtNative.Api.CreateTensorAsOrtValue)(
                allocator, dimensions, (nuint)tensor.Shape.Rank, (int)TensorElementType.String, &value));
        }
        try
        {
            for (int i = 0; i < tensor.Strings.Count; i++)
            {
                // With its length, as a string may hold a zero, at which the functions that take whole tensors end it.
                string text = tensor.Strings[i];
                int byteCount = Encoding.UTF8.GetByteCount(text);
                byte* bytes;
                OrtNative.Check(((delegate* unmanaged<nint, nuint, nuint, byte**, nint>)OrtNative.Api.GetResizedStringTensorElementBuffer)(value, (nuint)i, (nuint)byteCount, &bytes));
                Encoding.UTF8.GetBytes(text, new Span<byte>(bytes, byteCount));
            }
            return value;
        }
        catch
        {
            OrtNative.ReleaseValue(value);
            throw;
        }
    }

    private static string[] ReadStrings(nint value, int count)
    {
        if (count == 0)
            return [];
        nuint byteCount;
        OrtNative.Check(((delegate* unmanaged<nint, nuint*, nint>)OrtNative.Api.GetStringTensorDataLength)(value, &byteCount));
        byte[] bytes = new byte[byteCount];
        nuint[] offsets = new nuint[count];
        fixed (byte* content = bytes)
        fixed (nuint* starts = offsets)
        {
            OrtNative.Check(((delegate* unmanaged<nint, void*, nuint, nuint*, nuint, nint>)OrtNative.Api.GetStringTensorContent)(
                value, content is null ? Nothing : content, byteCount, starts, (nuint)count));
        }
        string[] texts = new string[count];
        for (int i = 0; i < count; i++)
        {
            int start = (int)offsets[i], end = i + 1 < count ? (int)offsets[i + 1] : bytes.Length;
            texts[i] = Encoding.UTF8.GetString(bytes, start, end - start);
        }
        return texts;
    }
}
